import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { isBlocks } from "../../../protocol/network-settings.js";
import { loadsNetwork, NETWORK_SUPPORT } from "../../../protocol/network-support.js";
import { loraWeights } from "../../../server/plan/disk.js";
import { networkWarnings } from "../../../server/plan/network-warnings.js";
import { resolvedSettings } from "./resolved-settings.js";

const baseModel = { name: "m", path: "/m.safetensors", kind: "sd1", resolution: 512, bytes: 2e9 } as const;

describe("which WebUI loads which network", () => {
  test.each([
    ["a1111", "v1.10.1", "dora", true],
    ["a1111", "v1.9.4", "dora", true],
    ["a1111", "1.9", "dora", true],
    ["a1111", "v1.8.0-RC", "dora", false],
    ["a1111", "v1.6.0", "loha", true],
    ["a1111", "1.5.2", "lokr", false],
    ["a1111", "<none>", "dora", null],
    ["forge", "f2.0.1v1.10.1-previous-669-gdfdcbab6", "dora", true],
    ["forgeClassic", "neo", "lokr", null],
    ["forgeClassic", "neo", "locon", true],
    ["unknown", "1.10.1", "lora", null],
  ] as const)("%s %s and %s: %s", (flavour, version, type, answer) => {
    expect(loadsNetwork(type, { flavour, version })).toBe(answer);
  });

  test("every flavour has one row", () => {
    expect(new Set(NETWORK_SUPPORT.map(({ flavour }) => flavour)).size).toBe(NETWORK_SUPPORT.length);
  });
});

describe("warnings about the kind of network", () => {
  const old = { flavour: "a1111", version: "v1.7.0" } as const;

  test("a kind that the connected WebUI can't load is told with the version that can", () => {
    const [warning] = networkWarnings(resolvedSettings({ networkType: "dora" }), old);
    expect(warning).toMatchObject({ code: "network_unsupported" });
    expect(warning?.message).toMatch(/AUTOMATIC1111 v1\.7\.0.*DoRA.*1\.9\.0/);
    expect(networkWarnings(resolvedSettings({ networkType: "loha" }), old)).toEqual([]);
    expect(networkWarnings(resolvedSettings({ networkType: "dora" }), null)).toEqual([]);
  });

  test("settings that have no effect with the kind are named", () => {
    const [warning] = networkWarnings(
      resolvedSettings({ networkType: "loha", networkDropout: 0.1, loraPlusRatio: 16, lokrFactor: 8 }),
      null,
    );
    expect(warning?.message).toMatch(/With LoHa networkDropout and loraPlusRatio and lokrFactor have no effect/);
    expect(networkWarnings(resolvedSettings({ networkType: "lora", networkDropout: 0.1, loraPlusRatio: 16 }), null)).toEqual([]);
  });
});

describe("the disk that a network takes", () => {
  const names = new URL("../../trainer/kohya_names/", import.meta.url);
  const product = (text: string) => text.split(",").reduce((all, side) => all * Number(side), 1);
  const numbersIn = (file: string) =>
    [...readFileSync(new URL(file, names), "utf8").matchAll(/(?:down|up)\(([^)]*)\)/g)].reduce(
      (sum, [, shape = ""]) => sum + product(shape),
      0,
    );

  test.each([
    ["sd1", "keys_sd1_lora.txt", {}],
    ["sd1", "keys_sd1_locon.txt", { networkType: "locon", convDim: 8 }],
    ["sdxl", "keys_sdxl_lora.txt", {}],
    ["sdxl", "keys_sdxl_locon.txt", { networkType: "locon", convDim: 8 }],
  ] as const)("an ordinary %s with %s has exactly the numbers of kohya's file", (kind, file, network) => {
    const settings = resolvedSettings({ networkDim: 16, textEncoderLr: 1e-4, textEncoder2Lr: 1e-4, ...network });
    expect(loraWeights({ ...baseModel, kind, bytes: 9e9 }, settings)).toBe(numbersIn(file));
  });

  test("a LoHa takes twice as much, and the largest block counts", () => {
    const plain = loraWeights(baseModel, resolvedSettings({ networkDim: 16 }));
    expect(loraWeights(baseModel, resolvedSettings({ networkDim: 16, networkType: "loha" }))).toBe(2 * plain);
    expect(loraWeights(baseModel, resolvedSettings({ networkDim: 16, blockDims: "mid=32" }))).toBe(2 * plain);
  });
});

describe("the settings of the network", () => {
  test("a LoCon changes convolutions with its own dim unless told otherwise; no other kind does", () => {
    expect(resolvedSettings({ networkType: "locon", networkDim: 24 }).convDim).toBe(24);
    expect(resolvedSettings({ networkType: "locon", convDim: 4 }).convDim).toBe(4);
    expect(resolvedSettings({ networkType: "dora" }).convDim).toBe(0);
  });

  test.each([
    ["", true],
    [Array(25).fill(4).join(","), true],
    [Array(23).fill("2").join(" "), true],
    ["down=8 mid=16,te=0", true],
    ["1,2,3", false],
    ["left=4", false],
    ["down=8 4", false],
    ["down=-1", false],
  ])("%j as values by block: %s", (text, answer) => {
    expect(isBlocks(text)).toBe(answer);
  });

  test("the number of blocks is the base model's", () => {
    expect(() => resolvedSettings({ blockDims: Array(23).fill(4).join(",") })).toThrowError(/25 numbers.*got 23/);
    expect(resolvedSettings({ blockAlphas: Array(25).fill(1).join(",") }).blockAlphas).toContain("1,1");
  });
});
