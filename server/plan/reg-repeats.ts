/**
 * How often each regularisation picture is seen in an epoch, as sd-scripts shares them out: as many samples together as there are of
 * all others. A first round gives each its folder's repeats, further rounds one more each, until there are enough; pictures that
 * the first round does not reach are not used.
 */
export function regRepeats(pictures: readonly { id: string; repeats: number }[], samples: number): Map<string, number> {
  const found = new Map<string, number>();
  let given = 0;
  while (pictures.length > 0 && given < samples) {
    for (const { id, repeats } of pictures) {
      const known = found.get(id);
      const more = known === undefined ? repeats : 1;
      found.set(id, (known ?? 0) + more);
      given += more;
      if (given >= samples) break;
    }
  }
  return found;
}
