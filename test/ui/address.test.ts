import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { hideAddress, isOwn, keepAddress, ownHash, showAddress } from "../../ui/data/address.js";
import { gridRoute, parseRoute, routeHash, runRoute } from "../../ui/data/route.js";

const page = { hash: "", pathname: "/sub/", search: "?__theme=dark" };
const kept = new Map<string, string>();

beforeEach(() => {
  page.hash = "";
  kept.clear();
  vi.stubGlobal("window", { trainLoraHost: { token: "t" } });
  vi.stubGlobal("location", page);
  vi.stubGlobal("localStorage", {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
  });
  vi.stubGlobal("history", {
    state: null,
    replaceState: (_state: unknown, _title: string, address: string) => {
      page.hash = /#.*/.exec(address)?.[0] ?? "";
    },
  });
});

afterEach(() => {
  vi.unstubAllGlobals();
});

describe("addresses inside the WebUI", () => {
  it("stand below a name of our own and read back", () => {
    const route = gridRoute("r 1", { source: "webui", epoch: 3, weight: 0.8 });
    expect(routeHash(route)).toBe("#train-lora/grids/r%201?source=webui&epoch=3&weight=0.8");
    expect(parseRoute(routeHash(route))).toEqual(route);
  });

  it("leave a hash of somebody else alone", () => {
    page.hash = "#lobe-settings";
    expect(isOwn(page.hash)).toBe(false);
    showAddress();
    hideAddress();
    keepAddress();
    expect(page.hash).toBe("#lobe-settings");
    expect(kept.size).toBe(0);
  });

  it("go away with our tab and come back with it", () => {
    page.hash = routeHash(runRoute("r1", 2));
    hideAddress();
    expect(page.hash).toBe("");
    showAddress();
    expect(page.hash).toBe("#train-lora/runs/r1?epoch=2");
  });

  it("bring back the last place after the WebUI's page was loaded again", () => {
    page.hash = routeHash(runRoute("r1"));
    keepAddress();
    page.hash = "";
    expect(parseRoute(ownHash())).toEqual(runRoute("r1"));
  });

  it("own the whole hash where the page stands alone", () => {
    vi.stubGlobal("window", {});
    page.hash = routeHash(runRoute("r1"));
    expect(page.hash).toBe("#/runs/r1");
    hideAddress();
    expect(ownHash()).toBe("#/runs/r1");
  });
});
