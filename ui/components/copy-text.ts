/** Puts a text on the clipboard; false when the browser forbids it. Works on plain http addresses of a local network too. */
export async function copyText(text: string, near: HTMLElement): Promise<boolean> {
  if (navigator.clipboard) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // not allowed here; the older way may be
    }
  }
  const area = document.createElement("textarea");
  area.value = text;
  area.style.position = "fixed";
  near.shadowRoot?.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  return done;
}
