import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { launchChromium } from "../../e2e/chromium.js";

type Step = { code: string; reason: string; status: string; progress: number; seconds: number };

const step = (code: string, status = "waiting", progress = 0): Step => ({ code, reason: "first", status, progress, seconds: 0 });
const needed = {
  status: "needed",
  steps: [step("packages"), step("build"), step("trainer")],
  progress: 0,
  needed: [{ code: "packages", reason: "first" }],
  places: { node: "/data/node", packages: "/ext/node_modules", build: "/ext/dist", trainer: "/data/venv-trainer" },
  megabytes: { node: 230, packages: 115, build: 2, trainer: 1500 },
  freeMegabytes: 50_000,
  torch: "cpu",
  node: { path: "/usr/bin/node", version: "20.20.2", source: "path", npm: true },
  nodeProblems: [],
  privateNode: { version: "22.20.0", possible: true },
  failure: null,
  version: { number: "0.2.0", commit: "abc" },
  updatedFrom: null,
  next: 0,
  lines: [],
};
const running = {
  ...needed,
  status: "running",
  progress: 0.4,
  steps: [step("packages", "done", 1), step("build", "done", 1), step("trainer", "running", 0.3)],
  next: 2,
  lines: ["fetched lit.tgz", "Downloading torch"],
};
const failed = {
  ...needed,
  status: "failed",
  steps: [step("packages", "failed", 0.2)],
  next: 2,
  failure: { code: "no_internet", message: "No package registry could be reached.", details: "npm error code ENOTFOUND", step: "packages" },
};

let browser: Browser;
let server: Server;
let origin = "";
/** What the shim answers, and what the panel has asked it. */
let answer: { status: number; body: object };
let asked: { path: string; token: string | undefined; body: string }[] = [];

beforeAll(async () => {
  browser = await launchChromium();
  server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://x");
    if (pathname === "/") return response.setHeader("Content-Type", "text/html").end(page());
    if (pathname.startsWith("/train-lora/panel/"))
      return response.setHeader("Content-Type", "text/javascript").end(readFileSync(panelFile(pathname)));
    let body = "";
    request.on("data", (part) => {
      body += part;
    });
    request.on("end", () => {
      asked.push({ path: request.url ?? "", token: String(request.headers["x-train-lora-token"]), body });
      response.statusCode = answer.status;
      response.setHeader("Content-Type", "application/json").end(JSON.stringify(answer.body));
    });
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  origin = `http://127.0.0.1:${port}/`;
});

afterAll(async () => {
  await browser.close();
  server.close();
});

afterEach(async () => {
  for (const context of browser.contexts()) await context.close();
});

const warning = "This PyTorch can't use your GPU: it is the build for the CPU alone (2.13.0+cpu).";
const onlyTrainer = { ...needed, updatedFrom: { number: "0.1.0", commit: "" }, opensWithoutTrainer: true };
const changes = [
  { name: "torch", before: "2.12.0", after: "2.13.0" },
  { name: "node_modules/lit", before: "", after: "3.3.3" },
];

describe("the set-up panel", () => {
  test("shows what is installed where and how big, starts it, follows it and tells when all is there", async () => {
    const tab = await open(needed);
    await tab.getByText("Node 20.20.2 was found (/usr/bin/node).").waitFor();
    expect(await tab.locator("li").allInnerTexts()).toEqual([
      expect.stringContaining("115 MB · /ext/node_modules"),
      expect.stringContaining("2 MB · /ext/dist"),
      expect.stringContaining("1.5 GB · CPU build · /data/venv-trainer"),
    ]);
    answer = { status: 200, body: running };
    await tab.getByRole("button", { name: "Set up" }).click();
    await tab.getByRole("progressbar", { name: "Whole set-up" }).waitFor();
    expect(asked.find(({ path }) => path === "/train-lora/setup/start")).toMatchObject({
      body: '{"privateNode":false,"betterTorch":false}',
      token: "secret",
    });
    expect(await tab.getByRole("progressbar", { name: "Whole set-up" }).getAttribute("aria-valuenow")).toBe("40");
    expect(await tab.getByRole("status").innerText()).toBe("Trainer's Python with torch · 40 % of the whole");
    answer = { status: 200, body: { ...needed, status: "ready", steps: [], next: 2 } };
    await tab.waitForFunction("window.isSetUp === 1");
    expect(await tab.locator("pre").last().textContent()).toContain("Downloading torch");
  });

  test("shows no empty boxes while it waits for the first answer", async () => {
    const tab = await (await browser.newContext({ locale: "en-US" })).newPage();
    await tab.route("**/train-lora/setup?*", () => undefined);
    await tab.goto(`${origin}?None`);
    await tab.getByRole("heading", { name: "Set up Train LoRA" }).waitFor();
    expect(await tab.locator("button:visible, .box:visible, .bar:visible").count()).toBe(0);
  });

  test("offers a private Node when there is none, already chosen", async () => {
    const message = "/usr/bin/node is Node 18.20.4; 20.19 or newer is needed.";
    const tab = await open({ ...needed, node: null, nodeProblems: [{ source: "path", code: "too_old", path: "/usr/bin/node", message }] });
    await tab.getByText(message).waitFor();
    expect(await tab.getByRole("checkbox", { name: /private Node 22.20.0 \(230 MB\)/ }).isChecked()).toBe(true);
    await tab.getByRole("button", { name: "Set up" }).click();
    await expect.poll(() => asked.map(({ body }) => body)).toContain('{"privateNode":true,"betterTorch":false}');
  });

  test("stops, tries again, and copies what went wrong", async () => {
    const tab = await open(running);
    await tab.getByRole("button", { name: "Stop" }).waitFor();
    answer = { status: 200, body: failed };
    await tab.getByRole("button", { name: "Stop" }).click({ timeout: 4000 });
    await tab.getByRole("alert").getByText("No package registry could be reached.").waitFor({ timeout: 4000 });
    expect(asked.map(({ path }) => path)).toContain("/train-lora/setup/cancel");
    await tab.getByRole("button", { name: "Copy details" }).click();
    await tab.getByRole("button", { name: "Copied" }).waitFor({ timeout: 4000 });
    const copied = await tab.evaluate("navigator.clipboard.readText()");
    expect(copied).toContain("step packages, no_internet: No package registry could be reached.");
    expect(copied).toContain("npm error code ENOTFOUND");
    expect(copied).toContain("Downloading torch");
    await tab.getByRole("button", { name: "Try again" }).click();
    await expect.poll(() => asked.map(({ path }) => path)).toContain("/train-lora/setup/start");
  });

  test("says after an update what changed, in the WebUI's language", async () => {
    const updated = { ...needed, updatedFrom: { number: "0.1.0", commit: "" }, steps: [{ ...step("build"), reason: "changed" }] };
    const tab = await open(updated, "ru_RU");
    await tab.getByRole("heading", { name: "Train LoRA обновлён" }).waitFor();
    await tab.getByText("С 0.1.0 на 0.2.0 (abc).", { exact: false }).waitFor();
    await tab.getByText("изменено обновлением · 2 МБ", { exact: false }).waitFor();
    await tab.getByRole("button", { name: "Обновить" }).waitFor();
  });

  test("names what an update changes, and opens without the trainer when that alone is missing", async () => {
    const changed = { ...step("trainer"), reason: "changed", changes, changesInAll: 5 };
    const tab = await open({ ...onlyTrainer, steps: [changed] });
    await tab.getByText("torch 2.12.0 → 2.13.0, lit – → 3.3.3 and 3 more", { exact: false }).waitFor();
    await tab.getByText("All but training works without it", { exact: false }).waitFor();
    answer = { status: 200, body: { opened: true } };
    await tab.getByRole("button", { name: "Open without the trainer" }).click();
    await tab.waitForFunction("window.isSetUp === 1");
    expect(asked.find(({ path }) => path === "/train-lora/setup/open")).toMatchObject({ body: '{"withoutTrainer":true}', token: "secret" });
  });

  test("offers no opening without the server, and none while the set-up runs", async () => {
    const tab = await open(needed);
    await tab.getByRole("button", { name: "Set up" }).waitFor();
    expect(await tab.getByRole("button", { name: "Open without the trainer" }).isVisible()).toBe(false);
    answer = { status: 200, body: { ...running, opensWithoutTrainer: true } };
    await tab.getByRole("button", { name: "Stop" }).waitFor({ timeout: 8000 });
    expect(await tab.getByRole("button", { name: "Open without the trainer" }).isVisible()).toBe(false);
  });

  test("says above the page why there is no training, and leads back", async () => {
    const tab = await open(needed, "ru_RU");
    const isAsked = tab.evaluate(
      "import('/train-lora/panel/train-lora-no-trainer.mjs').then(({ noteWithoutTrainer }) => noteWithoutTrainer(document.querySelector('main'))).then(() => true)",
    );
    await tab.getByText("Обучение недоступно: пакеты тренера для этой версии ещё не установлены.").waitFor();
    await tab.locator("train-lora-no-trainer").getByRole("button", { name: "Установить" }).click();
    expect(await isAsked).toBe(true);
  });

  test("tells of a torch that can't use the GPU before the page opens, and tries again", async () => {
    const tab = await open(running);
    await tab.getByRole("button", { name: "Stop" }).waitFor();
    answer = { status: 200, body: { ...needed, status: "ready", steps: [], torchWarning: warning, next: 2 } };
    await tab.getByRole("alert").getByText(warning).waitFor({ timeout: 4000 });
    expect(await tab.evaluate("window.isSetUp")).toBe(0);
    await tab.getByRole("button", { name: "Try again" }).click();
    await expect.poll(() => asked.map(({ body }) => body)).toContain('{"privateNode":false,"betterTorch":true}');
    await tab.getByRole("button", { name: "Open Train LoRA" }).click();
    await tab.waitForFunction("window.isSetUp === 1");
  });

  test("opens at once when all is there, whatever was told of the torch before", async () => {
    const tab = await open({ ...needed, status: "ready", steps: [], torchWarning: warning });
    await tab.waitForFunction("window.isSetUp === 1");
  });

  test("tells a restricted visitor why nothing happens, and asks for a new login", async () => {
    const tab = await open(needed);
    await tab.getByRole("button", { name: "Set up" }).waitFor();
    answer = { status: 403, body: { detail: { code: "restricted", message: "Nobody may install anything here." } } };
    await tab.getByRole("button", { name: "Set up" }).click();
    await tab.getByText("Nobody may install anything here.").waitFor();
    answer = { status: 401, body: {} };
    await tab.getByText("Log in to the WebUI again", { exact: false }).waitFor({ timeout: 8000 });
  });

  test("asks nothing while its tab is hidden", async () => {
    const tab = await open(running);
    await tab.getByRole("button", { name: "Stop" }).waitFor();
    await tab.evaluate("document.querySelector('train-lora-setup').parentElement.style.display = 'none'");
    await tab.waitForTimeout(300);
    asked = [];
    await tab.waitForTimeout(2500);
    expect(asked.length).toBeLessThanOrEqual(1);
    await tab.evaluate("document.querySelector('train-lora-setup').parentElement.style.display = ''");
    await expect.poll(() => asked.length).toBeGreaterThan(1);
  });

  test.each([
    ["light", "its own", ""],
    ["dark", "its own", ""],
    ["light", "the WebUI's", "--body-text-color: #1f2937; --body-text-color-subdued: #9ca3af; --background-fill-secondary: #f9fafb"],
    ["dark", "the WebUI's", "--body-text-color: #f3f4f6; --body-text-color-subdued: #9ca3af; --background-fill-secondary: #111827"],
  ] as const)(
    "has no fault that axe finds, in %s with %s colours",
    async (colorScheme, _whose, colours) => {
      for (const state of [needed, running, failed, { ...onlyTrainer, steps: [{ ...step("trainer"), changes, changesInAll: 5 }] }]) {
        const tab = await open(state, "None", colorScheme);
        await tab.locator("li").first().waitFor();
        await tab.addStyleTag({ content: `:root { ${colours} }` });
        await tab.addScriptTag({ path: fileURLToPath(import.meta.resolve("axe-core/axe.min.js")) });
        const found: { violations: { id: string; nodes: { html: string }[] }[] } = await tab.evaluate(
          "axe.run(document.querySelector('train-lora-setup'))",
        );
        expect(found.violations.map(({ id, nodes }) => [id, nodes[0]?.html])).toEqual([]);
        await tab.close();
      }
    },
    60_000,
  );
});

async function open(state: object, localization = "None", colorScheme: "light" | "dark" = "light"): Promise<Page> {
  answer = { status: 200, body: state };
  asked = [];
  const context = await browser.newContext({ locale: "en-US", colorScheme, permissions: ["clipboard-read", "clipboard-write"] });
  const tab = await context.newPage();
  await tab.goto(`${origin}?${localization}`);
  return tab;
}

function page(): string {
  return `<!doctype html><html lang="en"><title>WebUI</title><style>:root { color-scheme: light dark }</style><main><div>
    <train-lora-setup base="./train-lora"></train-lora-setup></div></main><script>
    window.opts = { localization: location.search.slice(1) };
    window.trainLoraHost = { token: "secret" };
    window.isSetUp = 0;
    document.querySelector("train-lora-setup").addEventListener("setup-done", () => window.isSetUp++);
    </script><script type="module" src="/train-lora/panel/train-lora-setup.mjs"></script>`;
}

function panelFile(path: string): string {
  return fileURLToPath(new URL(`../../../extension/javascript/${basename(path)}`, import.meta.url));
}
