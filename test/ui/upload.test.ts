import { describe, expect, test } from "vitest";
import { plainPath, type UploadFile, uploadFiles } from "../../ui/data/upload.js";

/** A server that keeps what arrives, and breaks as it is told: before a request, or after it has taken half of the body. */
function receiver({ most = Number.POSITIVE_INFINITY, breaks = [] }: { most?: number; breaks?: ("before" | "half")[] }) {
  const files = new Map<string, Uint8Array>();
  const fetch = async (url: string, { method, body }: RequestInit = {}): Promise<Response> => {
    const [path = "", query] = url.split("?");
    const known = files.get(path) ?? new Uint8Array();
    if (method === "GET") return Response.json({ bytes: known.length });
    const bytes = new Uint8Array(await new Response(body).arrayBuffer());
    if (bytes.length > most) return new Response("<html>", { status: 413 });
    const trouble = breaks.shift();
    if (trouble === "before") throw new TypeError("fetch failed");
    const taken = trouble === "half" ? bytes.subarray(0, bytes.length >> 1) : bytes;
    expect(Number(new URLSearchParams(query).get("offset"))).toBe(known.length);
    files.set(path, new Uint8Array([...known, ...taken]));
    if (trouble === "half") throw new TypeError("fetch failed");
    return new Response("{}", { status: 201 });
  };
  return { files, session: { fetch } };
}

const drawn = (path: string, bytes: number): UploadFile => ({
  path,
  file: new File([Uint8Array.from({ length: bytes }, (_, index) => index % 251)], path.split("/").at(-1) ?? ""),
});
const quick = [0, 0, 0, 0];

describe("sending files", () => {
  test("goes on where a broken connection stopped, byte for byte", async () => {
    const { files, session } = receiver({ breaks: ["half", "before", "half"] });
    const sent = [drawn("a/1.png", 5000), drawn("a/2.png", 0), drawn("a/3.png", 777)];
    const seen: number[] = [];
    const source = await uploadFiles(session, sent, ({ bytes }) => seen.push(bytes), quick);
    expect(source).toMatch(/^upload:[0-9a-f]{16}$/);
    const sizes = [...files].map(([url, bytes]) => [decodeURIComponent(url.split("/").at(-1) ?? ""), bytes.length]);
    expect(sizes.sort()).toEqual([
      ["a/1.png", 5000],
      ["a/2.png", 0],
      ["a/3.png", 777],
    ]);
    expect([...files.values()].every((bytes) => bytes.every((byte, index) => byte === index % 251))).toBe(true);
    expect(seen.at(-1)).toBe(5777);
  });

  test("makes its pieces as small as the proxy wants them", async () => {
    const { files, session } = receiver({ most: 1024 * 1024 });
    await uploadFiles(session, [drawn("set.zip", 3_000_000)], () => {}, quick);
    expect([...files.values()].map(({ length }) => length)).toEqual([3_000_000]);
  });

  test("gives up with the last error when nobody comes back", async () => {
    const { session } = receiver({ breaks: Array.from({ length: 9 }, () => "before" as const) });
    await expect(uploadFiles(session, [drawn("a.png", 10)], () => {}, [0, 0])).rejects.toThrow("fetch failed");
  });

  test("leaves hidden files, and gives odd names one that every system has", () => {
    expect(plainPath("set/.DS_Store")).toBeNull();
    expect(plainPath(".git/a.png")).toBeNull();
    expect(plainPath("set/a:b\n.png")).toBe("set/a_b_.png");
    const long = "ж".repeat(127);
    const [picture, caption] = [plainPath(`${long}.png`) ?? "", plainPath(`${long}.txt`) ?? ""];
    expect(new TextEncoder().encode(picture).length).toBeLessThan(200);
    expect(picture.replace(/\.png$/, "")).toBe(caption.replace(/\.txt$/, ""));
    expect(plainPath(`${"ж".repeat(126)}x.png`)).not.toBe(picture);
  });
});
