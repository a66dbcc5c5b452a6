/**
 * `npm run protocol`: writes protocol/schema.json (JSON Schema 2020-12, one entry in $defs per exported zod schema)
 * and docs/protocol.md. With `--check` it writes nothing and fails when either is out of date.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { z } from "zod";

const folder = new URL("../protocol/", import.meta.url);
const schemaFile = new URL("schema.json", folder);
const docsFile = new URL("../docs/protocol.md", import.meta.url);

type Entry = { name: string; file: string; comment: string; schema: Record<string, unknown> };

const entries: Entry[] = [];
for (const file of readdirSync(folder)
  .filter((name) => name.endsWith(".ts"))
  .sort()) {
  const source = readFileSync(new URL(file, folder), "utf8");
  const exported: Record<string, unknown> = await import(new URL(file, folder).href);
  for (const [name, value] of Object.entries(exported)) {
    if (value instanceof z.ZodType) entries.push({ name, file, comment: commentOf(source, name), schema: jsonSchema(value) });
  }
}

const schema = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  $defs: Object.fromEntries(entries.map(({ name, schema }) => [name, schema])),
};
const outputs: [URL, string][] = [
  [schemaFile, `${JSON.stringify(schema, null, 1)}\n`],
  [docsFile, documentation()],
];

if (process.argv.includes("--check")) {
  const stale = outputs.filter(([url, text]) => readFileSync(url, "utf8") !== text).map(([url]) => url.pathname.split("/").pop());
  if (stale.length > 0) {
    process.stderr.write(`${stale.join(" and ")} should follow protocol/*.ts but is out of date: run npm run protocol\n`);
    process.exitCode = 1;
  }
} else {
  for (const [url, text] of outputs) writeFileSync(url, text);
}

function jsonSchema(value: z.ZodType): Record<string, unknown> {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(value, { io: "input", unrepresentable: "any" });
  return rest;
}

function commentOf(source: string, name: string): string {
  const match = new RegExp(`/\\*\\*((?:(?!\\*/)[\\s\\S])*)\\*/\\s*export const ${name} =`).exec(source);
  return (match?.[1] ?? "")
    .replace(/^\s*\* ?/gm, "")
    .replace(/\s+/g, " ")
    .trim();
}

function documentation(): string {
  const files = [...new Set(entries.map(({ file }) => file))];
  const parts = files.map((file) => {
    const rows = entries
      .filter((entry) => entry.file === file)
      .map((entry) => `### ${entry.name}\n\n${entry.comment}\n\n${fieldsOf(entry.schema)}`);
    return `## protocol/${file}\n\n${rows.join("\n\n")}`;
  });
  const head = "# The protocol\n\nWritten by `npm run protocol` from the schemas in `protocol/`; change those, not this.\n";
  return `${[head, ...parts].join("\n").replace(/\n{3,}/g, "\n\n")}\n`;
}

function fieldsOf(schema: Record<string, unknown>): string {
  const options = (schema.oneOf ?? schema.anyOf) as Record<string, unknown>[] | undefined;
  if (options) return options.map((option) => `* ${shapeOf(option)}`).join("\n");
  if (Array.isArray(schema.enum)) return schema.enum.map((value) => `\`${value}\``).join(" · ");
  return shapeOf(schema);
}

function shapeOf(schema: Record<string, unknown>): string {
  const properties = schema.properties as Record<string, Record<string, unknown>> | undefined;
  if (!properties)
    return schema.oneOf || schema.anyOf ? fieldsOf(schema).replace(/\n\* /g, "\n  * ") : `\`${String(schema.type ?? "any")}\``;
  const tag = properties.type?.const;
  const fields = Object.entries(properties)
    .filter(([name]) => !(name === "type" && tag))
    .map(([name, field]) => `\`${name}\` ${typeOf(field)}`);
  return `${tag ? `**${String(tag)}** ` : ""}${fields.join(", ")}`;
}

function typeOf(field: Record<string, unknown>): string {
  if (field.const !== undefined) return JSON.stringify(field.const);
  if (Array.isArray(field.enum)) return field.enum.map((value) => JSON.stringify(value)).join(" | ");
  const options = (field.anyOf ?? field.oneOf) as Record<string, unknown>[] | undefined;
  if (options) return options.map(typeOf).join(" | ");
  if (field.type === "array") return `list of ${typeOf((field.items ?? {}) as Record<string, unknown>)}`;
  return String(field.type ?? "any");
}
