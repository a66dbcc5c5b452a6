import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { importSettings } from "../../../../server/plan/kohya/import-settings.js";

const fixture = (name: string) => readFileSync(new URL(`../../../fixtures/settings/${name}`, import.meta.url));
const imported = (name: string) => importSettings(fixture(name), name);

/** What each of the fixtures says, in the spelling of its tool. */
const SAME = {
  resolution: { width: 768, height: 512 },
  networkDim: 32,
  networkAlpha: 16,
  unetLr: 1e-4,
  textEncoderLr: 1e-4,
  lrScheduler: "cosine",
  optimizer: "AdamW",
  weightDecay: 0.05,
  batchSize: 2,
  seed: 1337,
  mixedPrecision: "bf16",
  savePrecision: "fp16",
  shuffleCaption: true,
  keepTokens: 1,
  clipSkip: 2,
  maxTokenLength: 225,
  epochs: 8,
  outputName: "lantern-32",
  minBucketReso: 256,
  maxBucketReso: 1024,
};

describe("a settings file of another tool", () => {
  test.each([
    ["config.toml", "sdScripts"],
    ["nested.toml", "sdScripts"],
    ["gui.json", "kohyaGui"],
    ["launcher.sh", "bash"],
    ["launcher.bat", "batch"],
  ])("%s comes out as the settings it trains with", (name, format) => {
    const report = imported(name);
    expect(report).toMatchObject({ format, settings: SAME, refused: [] });
    expect(report.unknown.map(({ option }) => option.replace(/^--/, ""))).toContain("flux_of_time");
  });

  test("launcher.ps1 comes out as the settings it trains with", () => {
    const { optimizer: _, ...same } = SAME;
    expect(imported("launcher.ps1")).toMatchObject({ format: "powershell", settings: same, refused: [] });
  });

  test.each(["config.toml", "nested.toml", "dataset.toml", "gui.json", "launcher.ps1", "launcher.sh", "launcher.bat"])(
    "%s has every option in exactly one list, with its line",
    (name) => {
      const report = imported(name);
      const lines = fixture(name).toString().split("\n");
      const said = report.taken.filter(({ assumed }) => !assumed);
      for (const { option, line } of [...said, ...report.notNeeded, ...report.refused, ...report.unknown]) {
        if (line === null) continue;
        const key = option.split(/[:.]/).at(-1)?.split("=")[0]?.trim().replace(/^--/, "") ?? "";
        if (!option.includes("%") && /^\w+$/.test(key) && name.endsWith(".toml"))
          expect(lines.slice(line - 1, line + 3).join("\n")).toContain(key);
      }
      const places = [...said, ...report.unknown].map(({ option, line }) => `${option} ${line}`);
      for (const { option, line } of report.notNeeded) expect(places).not.toContain(`${option} ${line}`);
    },
  );

  test("what a script does by a condition or a loop that can't be followed is told", () => {
    expect(imported("launcher.ps1").unknown).toContainEqual(
      expect.objectContaining({ line: 28, option: expect.stringContaining("Test-Path") }),
    );
    expect(imported("launcher.sh").unknown).toContainEqual(expect.objectContaining({ line: 20, option: expect.stringContaining("for") }));
    expect(imported("launcher.bat").unknown).toContainEqual(
      expect.objectContaining({ line: 16, option: expect.stringContaining("exist") }),
    );
  });

  test("data sets that want different values can't have them: the first one's is kept, and the others are refused by line", () => {
    const report = imported("dataset.toml");
    expect(report.settings).toMatchObject({ resolution: { width: 768, height: 512 }, batchSize: 2, keepTokens: 1, shuffleCaption: true });
    expect(report.refused.map(({ line }) => line)).toEqual([20, 21]);
    expect(report.notNeeded.filter(({ option }) => option.includes("num_repeats"))).toHaveLength(2);
  });

  test("PowerShell's UTF-16, a mark of UTF-8 and Windows line ends are read", () => {
    const text = fixture("launcher.ps1").toString().replaceAll("\n", "\r\n");
    const wide = Buffer.from(`\uFEFF${text}`, "utf16le");
    const swapped = Buffer.from(wide).swap16();
    for (const bytes of [wide, swapped, wide.subarray(2), Buffer.from(`\uFEFF${text}`)])
      expect(importSettings(bytes, "launcher.ps1").settings).toEqual(imported("launcher.ps1").settings);
    expect(importSettings(Buffer.from("output_name = 'caf\xe9'", "latin1"), "a.toml").settings).toEqual({ outputName: "café" });
  });

  test("pasted text without a name is recognized", () => {
    for (const name of ["config.toml", "gui.json", "launcher.ps1", "launcher.sh", "launcher.bat"])
      expect(importSettings(fixture(name).toString(), "").settings).toEqual(imported(name).settings);
    expect(importSettings("--network_dim=8 --shuffle_caption\n--unet_lr 1e-4", "")).toMatchObject({
      format: "arguments",
      settings: { networkDim: 8, shuffleCaption: true, unetLr: 1e-4 },
    });
  });
});

const of = (text: string, name = "a.toml") => importSettings(text, name);

describe("an option", () => {
  test.each<[string, Record<string, unknown>]>([
    ["learning_rate = 1e-4", { unetLr: 1e-4, textEncoderLr: 1e-4 }],
    ["unet_lr = 2e-4\nlearning_rate = 1e-4", { unetLr: 2e-4, textEncoderLr: 1e-4 }],
    ["learning_rate = 1e-4\nnetwork_train_unet_only = true", { unetLr: 1e-4, textEncoderLr: 0 }],
    ["text_encoder_lr = 1e-5\nnetwork_train_text_encoder_only = true", { unetLr: 0, textEncoderLr: 1e-5 }],
    ["text_encoder_lr = [1e-5, 2e-5]", { textEncoderLr: 1e-5, textEncoder2Lr: 2e-5 }],
    ["optimizer_type = 'adamw'", { optimizer: "AdamW" }],
    ["shuffle_caption = 'True'\nnetwork_dim = '16'", { shuffleCaption: true, networkDim: 16 }],
    ["held_out_images = 3", { heldOutImages: 3 }],
    ["epochs = 3", { epochs: 3 }],
  ])("%j means %j", (text, settings) => {
    expect(of(text)).toMatchObject({ settings, refused: [], unknown: [] });
    expect(of(text).settings).toEqual(settings);
  });

  test("that a whole training leaves out is sd-scripts' default, and is marked as assumed", () => {
    const report = of("network_module = 'networks.lora'\nresolution = 512\nlearning_rate = 1e-4\nmax_train_steps = 100");
    expect(report.settings).toMatchObject({ shuffleCaption: false, networkDim: 4, lrScheduler: "constant", savePrecision: "float" });
    expect(report.settings).toMatchObject({ minBucketReso: 512, maxBucketReso: 512, targetSteps: 100 });
    expect(report.taken.filter(({ assumed }) => assumed).map(({ option }) => option)).toContain("shuffle_caption");
  });

  test("with a wrong value is refused in a sentence with its line, and does not keep the others from being taken", () => {
    const report = of("seed = 7\n\n[more]\nnetwork_dim = 'many'\nclip_skip = 2");
    expect(report.settings).toEqual({ seed: 7, clipSkip: 2 });
    expect(report.refused).toMatchObject([
      { option: "network_dim", line: 4, message: expect.stringMatching(/network_dim \(line 4\).*a number.*"many"/) },
    ]);
  });

  test("of sd-scripts that nothing here obeys is told from one that nobody knows", () => {
    expect(of("lr_decay_steps = 3\nflux_of_time = 3").unknown).toEqual([
      { option: "lr_decay_steps", line: 1, value: "3", isKohyas: true },
      { option: "flux_of_time", line: 2, value: "3", isKohyas: false },
    ]);
  });

  test("that is off asks for nothing", () => {
    expect(of("lr_decay_steps = 0\nweighted_thing = false\nother = ''").notNeeded.map(({ option }) => option)).toEqual([
      "lr_decay_steps",
      "weighted_thing",
      "other",
    ]);
  });
});

describe("a shell script", () => {
  const sh = (text: string) => of(text, "a.sh");

  test.each([
    ["A=8\naccelerate launch train_network.py --network_dim=\u0024{A}"],
    ["accelerate launch train_network.py --network_dim=\u0024{A:-8}"],
    ["A=\naccelerate launch train_network.py --network_dim \u0024{A:-8}"],
    ["A=4; B=$((A * 2))\naccelerate launch train_network.py --network_dim $B"],
    ["A='--network_dim 8'\naccelerate launch train_network.py $A"],
    ['A=(--network_dim 8)\nA+=(--seed 3)\npython train_network.py "\u0024{A[@]}"'],
    ['export A=8 && python train_network.py --network_dim "$A"'],
    [
      "if false; then A=1; fi\nif [ 1 -gt 2 ]; then A=4; elif [ 3 -lt 4 ]; then A=8; else A=2; fi\npython train_network.py --network_dim $A",
    ],
  ])("%j trains with dim 8", (text) => {
    expect(sh(text).settings).toMatchObject({ networkDim: 8 });
  });

  test("keeps words in quotes together", () => {
    expect(sh('N="my name"\npython train_network.py --output_name="$N" --network_dim 8').settings).toMatchObject({ outputName: "my name" });
  });

  test.each(["echo hello", "python make_captions.py --batch_size 3", ""])("that starts no training is refused: %j", (text) => {
    expect(() => sh(text)).toThrow(/Expected a\.sh to start sd-scripts/);
  });

  test("with a quote that never ends is refused with the line", () => {
    expect(() => sh("A=1\npython train_network.py --output_name='x")).toThrow(/line 2/);
  });
});

test.each<[string, string, RegExp]>([
  ["a = = 3", "a.toml", /TOML.*line 1/],
  ['{"a": 1,}', "a.json", /JSON/],
  ["[1]", "a.json", /object of settings/],
  ["\0\0\0", "a.toml", /binary/],
])("%j is refused", (text, name, message) => {
  expect(() => importSettings(Buffer.from(text), name)).toThrow(message);
});
