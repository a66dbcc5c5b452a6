import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "smol-toml";
import { afterAll, beforeAll, expect, test } from "vitest";
import { SettingsImport } from "../../protocol/settings-import.js";
import { readSettingsFile } from "../../server/plan/settings-file.js";
import { makeTempHome, type TempHome, writePictures } from "../server/temp-home.js";
import { callCli, lastJson } from "./run-cli.js";

const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/settings/${name}`, import.meta.url));

let home: TempHome;
beforeAll(async () => {
  home = await makeTempHome();
});
afterAll(() => home.remove());

test("settings import says what became of every option and writes a file that plan takes", async () => {
  const out = join(home.home, "settings.toml");
  const told = await callCli(["settings", "import", fixture("launcher.sh"), "-o", out]);
  expect(told.code).toBe(0);
  expect(told.stdout).toMatch(
    /Taken:[\s\S]*--network_dim \(line 27\) → networkDim 32[\s\S]*Not needed:[\s\S]*Unknown, and not obeyed:\n[\s\S]*--flux_of_time \(line 32\)/,
  );
  const report = SettingsImport.parse(lastJson(await callCli(["settings", "import", fixture("launcher.sh"), "--json"])));
  expect(await readSettingsFile(out)).toEqual({ settings: report.settings, unknown: [] });
});

test("settings import takes a command line on stdin", async () => {
  const result = await callCli(["settings", "import", "-", "--json"], "python train_network.py --network_dim 8 --unet_lr=1e-4");
  expect(lastJson(result)).toMatchObject({ settings: { networkDim: 8, unetLr: 1e-4 } });
});

test("a refused value is exit code 1 with its line; the others are written all the same", async () => {
  const [file, out] = [join(home.home, "bad.toml"), join(home.home, "out.toml")];
  await writeFile(file, "seed = 7\nnetwork_dim = 'many'\n");
  const result = await callCli(["settings", "import", file, "-o", out]);
  expect(result).toMatchObject({ code: 1, stdout: expect.stringMatching(/network_dim \(line 2\)/) });
  expect(parse(await readFile(out, "utf8"))).toEqual({ seed: 7 });
  expect(await callCli(["settings", "import", join(home.home, "none.toml")])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("bad_settings"),
  });
});

test("settings export writes a plan for sd-scripts that imports as the same settings", async () => {
  const pictures = await writePictures(join(home.home, "moss"));
  const [plan, dir] = [join(home.home, "plan.json"), join(home.home, "for kohya")];
  const base = join(home.checkpointsDir, "tiny.safetensors");
  const planned = lastJson(await callCli(["plan", pictures, "--base", base, "--epochs", "4", "-o", plan, "--json", "--home", home.home]));
  const exported = lastJson(await callCli(["settings", "export", plan, "-o", dir, "--json"]));
  expect(exported).toMatchObject({ config: join(dir, "config.toml"), subsets: [{ isReg: false }] });
  expect((await readSettingsFile(join(dir, "config.toml"))).settings).toEqual(planned.settings);
});
