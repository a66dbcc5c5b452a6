/** Where each key of a TOML text stands: path such as `datasets[0].subsets[1].image_dir` → line from 1. */
export function tomlLines(text: string): Map<string, number> {
  const lines = new Map<string, number>();
  const counts = new Map<string, number>();
  let section = "";
  let open: Open = { quote: null, depth: 0 };
  for (const [index, line] of text.split("\n").entries()) {
    if (open.quote !== null || open.depth > 0) {
      open = after(line, open);
      continue;
    }
    const header = /^\s*(\[\[?)\s*([^\]]+?)\s*\]/.exec(line);
    if (header) {
      section = sectionOf(header[2] ?? "", header[1] === "[[", counts);
      continue;
    }
    const key = /^\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=(.*)$/.exec(line);
    if (!key) continue;
    const path = [section, plain(key[1] ?? "")].filter(Boolean).join(".");
    if (!lines.has(path)) lines.set(path, index + 1);
    open = after(key[2] ?? "", open);
  }
  return lines;
}

type Open = { quote: string | null; depth: number };

function sectionOf(name: string, isArray: boolean, counts: Map<string, number>): string {
  const parts = plain(name).split(".");
  let path = "";
  for (const [index, part] of parts.entries()) {
    path = path === "" ? part : `${path}.${part}`;
    const isLast = index === parts.length - 1;
    if (isArray && isLast) counts.set(path, (counts.get(path) ?? -1) + 1);
    const count = counts.get(path);
    if (count !== undefined) path = `${path}[${count}]`;
  }
  return path;
}

function plain(key: string): string {
  return key.replace(/["'\s]/g, "");
}

/** How a line leaves texts of several lines and brackets; what stands in quotes and comments counts for nothing. */
function after(line: string, before: Open): Open {
  let { quote, depth } = before;
  for (let at = 0; at < line.length; at += 1) {
    const char = line[at] ?? "";
    const three = line.slice(at, at + 3);
    if (quote !== null) {
      if (char === "\\" && quote.startsWith('"')) at += 1;
      else if (line.startsWith(quote, at)) {
        at += quote.length - 1;
        quote = null;
      }
    } else if (three === '"""' || three === "'''") {
      quote = three;
      at += 2;
    } else if (char === '"' || char === "'") quote = char;
    else if (char === "#") break;
    else if ("[{".includes(char)) depth += 1;
    else if ("]}".includes(char)) depth -= 1;
  }
  return { quote: quote !== null && quote.length === 3 ? quote : null, depth: Math.max(0, depth) };
}
