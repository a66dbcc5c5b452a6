import { describe, expect, test } from "vitest";
import { callCli, lastJson } from "./run-cli.js";

const cli = (...args: string[]) => callCli(args);

test.each([
  [[], "Expected a command"],
  [["nothing"], 'no command "nothing"'],
  [["dataset"], 'no command "dataset"'],
  [["dataset", "burn"], 'no command "dataset burn"'],
  [["dataset", "scan"], "Expected DIR"],
  [["dataset", "scan", "a", "b"], '"b" as well'],
  [["dataset", "scan", "a", "--wrong"], "--wrong"],
  [["dataset", "fix", "a", "--only", "ugly"], "--only knows"],
  [["dataset", "import", "a"], "--name"],
  [["plan", "a", "-o", "p"], "--base"],
  [["plan", "a", "--base", "b"], "-o"],
  [["plan", "a", "--base", "b", "-o", "p", "--epochs", "many"], '"many"'],
  [["plan", "a", "--base", "b", "-o", "p", "--epochs", "0"], "at least 1"],
  [["train"], "Expected PLAN"],
  [["grid", "--prompt", "x", "-o", "d"], "--lora"],
  [["grid", "--lora", "x", "-o", "d"], "--prompt"],
  [["grid", "--lora", "x", "--prompt", "x"], "-o"],
  [["grid", "--lora", "x", "--prompt", "x", "-o", "d", "--weights", "0,big"], '"big"'],
  [["lora", "inspect"], "Expected FILE"],
  [["lora", "resize", "a", "-o", "b"], "--dim"],
  [["lora", "resize", "a", "--dim", "4"], "-o"],
  [["lora", "resize", "a", "--dim", "4", "-o", "b", "--method", "sv_fro"], "--target"],
  [["lora", "resize", "a", "--dim", "4", "-o", "b", "--base", "c"], "together"],
  [["lora", "merge", "--lora", "a", "-o", "b"], "at least two"],
  [["lora", "merge", "--lora", "a", "b", "--weights", "1", "-o", "c"], "2 numbers"],
  [["lora", "blend", "a", "-o", "b"], "--epochs"],
  [["lora", "compare", "a"], "Expected SECOND"],
  [["lora", "verify", "a", "--kind", "sd9"], '"sd9"'],
  [["lora", "convert", "a", "-o", "b"], "--to"],
  [["buckets"], "--resolution"],
  [["buckets", "--resolution", "512"], '"512"'],
])("wrong usage %j ends with 2 and a sentence", async (args, words) => {
  const plain = await cli(...args);
  expect(plain.code).toBe(2);
  expect(plain.stderr).toContain(words);
  expect(plain.stderr).toContain("--help");
  expect(plain.stderr).not.toContain("    at ");
  expect(plain.stdout).toBe("");
  const json = await cli(...args, "--json");
  if (args[0] === "plan" && !args.includes("-o")) return;
  expect(json.code).toBe(2);
  expect(lastJson(json)).toMatchObject({ ok: false, code: "bad_request", message: expect.stringContaining(words) });
});

test("help stands everywhere, with an example", async () => {
  const commands = [
    "setup",
    "dataset scan",
    "dataset fix",
    "dataset import",
    "plan",
    "train",
    "grid",
    "lora inspect",
    "lora resize",
    "lora merge",
    "lora blend",
    "lora compare",
    "lora verify",
    "lora convert",
    "networks",
    "buckets",
  ];
  const whole = await cli("--help");
  expect(whole.code).toBe(0);
  for (const command of commands) {
    expect(whole.stdout).toContain(command);
    const { code, stdout } = await cli(...command.split(" "), "--help");
    expect([command, code]).toEqual([command, 0]);
    expect(stdout).toContain(`train-lora ${command}`);
    expect(stdout).toContain("Example:");
  }
  expect((await cli("dataset", "--help")).stdout).toContain("dataset fix");
});

describe("work that fails ends with 1, a sentence and a code", () => {
  test.each([
    [["dataset", "scan", "/nowhere"], "dataset_not_found"],
    [["plan", "/nowhere", "--base", "/nowhere/x.safetensors", "-o", "/nowhere/p.json"], "base_model_missing"],
    [["train", "/nowhere/plan.json"], "bad_plan"],
    [["lora", "inspect", "/nowhere/x.safetensors"], "not_found"],
    [["buckets", "--resolution", "512x512", "--step", "7"], "bad_settings"],
  ])("%j", async (args, code) => {
    const plain = await cli(...args);
    expect(plain).toMatchObject({ code: 1, stdout: "" });
    expect(plain.stderr).toContain(`[${code}]`);
    expect(lastJson(await cli(...args, "--json"))).toMatchObject({ ok: false, code, message: expect.any(String) });
  });
});

describe("buckets", () => {
  const buckets = (stdin: string, ...args: string[]) =>
    callCli(["buckets", "--resolution", "512x512", "--min", "256", "--max", "1024", "--step", "64", ...args], stdin);

  test("are told for each size on stdin", async () => {
    const { code, stdout } = await buckets("800 600\n512x512\r\n\n", "--json");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual([
      { width: 800, height: 600, bucket: [576, 448], resized: expect.any(Array), cropLoss: expect.any(Number) },
      { width: 512, height: 512, bucket: [512, 512], resized: [512, 512], cropLoss: 0 },
    ]);
    expect((await buckets("800 600")).stdout).toContain("bucket 576x448");
    expect(JSON.parse((await buckets("", "--json")).stdout)).toEqual([]);
  });

  test("name the line that is no size", async () => {
    for (const bad of ["800", "800 600 3", "a b", "0 5", "-1 5", "800,600"]) {
      const { code, stderr } = await buckets(`512 512\n${bad}\n`);
      expect([bad, code]).toEqual([bad, 2]);
      expect(stderr).toContain("Line 2");
    }
  });
});
