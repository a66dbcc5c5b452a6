const last = new Map<string, Promise<unknown>>();

/** Runs `work` after everything else that was asked for this folder, so that edits of one data set never mix. */
export async function inTurn<T>(root: string, work: () => Promise<T>): Promise<T> {
  const before = last.get(root) ?? Promise.resolve();
  // A failure of the one before belongs to its own caller.
  const mine = before.catch(() => {}).then(work);
  last.set(root, mine);
  try {
    return await mine;
  } finally {
    if (last.get(root) === mine) last.delete(root);
  }
}
