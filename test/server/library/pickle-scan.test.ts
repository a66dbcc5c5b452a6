import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BrokenPickleError, scanPickle } from "../../../server/library/pickle-scan.js";
import { unsafeImports } from "../../../server/library/safe-imports.js";

const bytes = (...parts: (string | number[] | Buffer)[]) =>
  Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part, "latin1") : Buffer.from(part))));
const short = (text: string) => bytes([0x8c, text.length], text);

describe("the scan of a pickle", () => {
  it("finds imports of every protocol", () => {
    expect(scanPickle(bytes("cos\nsystem\n(S'ls'\ntR.")).imports).toEqual(["os.system"]);
    expect(scanPickle(bytes("(S'ls'\nios\nsystem\n.")).imports).toEqual(["os.system"]);
    expect(scanPickle(bytes([0x80, 4], short("posix"), [0x94], short("system"), [0x94, 0x93], ".")).imports).toEqual(["posix.system"]);
    expect(scanPickle(bytes([0x80, 2, 0x82, 7], ".")).imports).toEqual(["copyreg extension.7"]);
  });

  it("follows names through the memo", () => {
    const remembered = bytes([0x80, 4], short("builtins"), [0x94], "0", short("eval"), [0x94], "0", "h", [0], "h", [1, 0x93], ".");
    expect(scanPickle(remembered).imports).toEqual(["builtins.eval"]);
    expect(scanPickle(bytes("X", [2, 0, 0, 0], "os", "q", [9], "0", short("x"), "h", [9], short("popen"), [0x93], ".")).imports).toEqual([
      "os.popen",
    ]);
  });

  it("reports a name that is computed or disguised as unknown, which is never safe", () => {
    const duplicated = bytes([0x80, 4], short("os"), short("system"), "2", [0x93], ".");
    expect(scanPickle(duplicated).imports).toEqual(["?.?"]);
    expect(scanPickle(bytes("V\\u006fs\n", short("system"), [0x93], ".")).imports).toEqual(["?.system"]);
    expect(unsafeImports(["?.?", "?.system"])).toHaveLength(2);
  });

  it("of any bytes ends, with a result or as broken", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (noise) => {
        try {
          expect(scanPickle(Buffer.from(noise)).end).toBeLessThanOrEqual(noise.length);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(BrokenPickleError);
        }
      }),
      { numRuns: 500, seed: 1 },
    );
  });

  it("ends at STOP and complains about anything that is cut off or no pickle", () => {
    expect(scanPickle(bytes("N.", "rest")).end).toBe(2);
    for (const broken of [bytes("N"), bytes("X", [9, 0, 0, 0], "ab"), bytes("cos\nsys"), bytes([0xff])])
      expect(() => scanPickle(broken)).toThrow(/opcode|line/);
  });
});

describe("safe imports", () => {
  it("are single names: what runs code in the same packages is not among them", () => {
    expect(
      unsafeImports([
        "collections.OrderedDict",
        "torch.FloatStorage",
        "torch._utils._rebuild_tensor_v2",
        "numpy.dtype",
        "pytorch_lightning.callbacks.model_checkpoint.ModelCheckpoint",
      ]),
    ).toEqual([]);
    const bad = [
      "torch.hub.load",
      "torch.load",
      "numpy.testing.measure",
      "builtins.eval",
      "collections.abc.x",
      "torch.os.SystemStorage",
      "pytorch_lightning.callbacks.LambdaCallback",
    ];
    expect(unsafeImports(bad)).toEqual(bad);
  });
});
