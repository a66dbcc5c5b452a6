/**
 * What the WebUI listens to on its whole page: keys that press buttons of a generation tab (which ours has not), and drops and pastes
 * that it puts into its own fields.
 */
const kept = ["keydown", "keyup", "keypress", "paste", "drop", "dragover", "dragenter"] as const;

/** Keeps the keys, drops and pastes of an element to itself; the result ends that. */
export function keepToItself(element: EventTarget): () => void {
  const keep = (event: Event) => {
    event.stopPropagation();
    // A file that misses a drop zone would otherwise replace the whole page.
    if (event instanceof DragEvent && event.dataTransfer?.types.includes("Files")) event.preventDefault();
  };
  for (const type of kept) element.addEventListener(type, keep);
  return () => {
    for (const type of kept) element.removeEventListener(type, keep);
  };
}
