/** Keeps small choices of this browser; a browser that forbids storage just forgets them. */
export function readPreference(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

export function writePreference(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // forgotten with the page, as the browser wants it
  }
}

/** The set of starred cells of one grid, as `epoch|weight` keys. */
export function readStars(grid: string): ReadonlySet<string> {
  return new Set((readPreference(starsKey(grid)) ?? "").split(" ").filter(Boolean));
}

export function writeStars(grid: string, stars: ReadonlySet<string>): void {
  writePreference(starsKey(grid), [...stars].join(" "));
}

function starsKey(grid: string): string {
  return `train-lora:stars:${grid}`;
}
