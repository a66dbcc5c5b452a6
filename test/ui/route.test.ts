import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { datasetRoute, gridRoute, parseRoute, routeHash, runRoute } from "../../ui/data/route.js";

describe("addresses of the page", () => {
  it("read back what was written, for every name", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.string(), (name, text) => {
        const route = datasetRoute(name, "tags", { has: "red hat", text });
        expect(parseRoute(routeHash(route))).toEqual(route);
        expect(parseRoute(routeHash(runRoute(name, 3)))).toEqual(runRoute(name, 3));
      }),
    );
  });

  it("keep the place in a grid, the no-LoRA column included", () => {
    const route = gridRoute("r1", { prompt: 2, epoch: 0, weight: 0, seed: 1 });
    expect(routeHash(route)).toBe("#/grids/r1?prompt=2&epoch=0&weight=0&seed=1");
    expect(parseRoute(routeHash(route))).toEqual(route);
  });

  it("name a problem as the guide does", () => {
    expect(routeHash(datasetRoute("lantern-keeper", "pictures", { problem: "transparent" }))).toBe(
      "#/datasets/lantern-keeper/pictures?problem=transparent",
    );
  });

  it("lead to the data sets when they are unknown or broken", () => {
    for (const hash of ["", "#", "#/", "#/nowhere", "#code=abc"]) expect(parseRoute(hash)).toEqual({ page: "datasets" });
    expect(parseRoute("#/datasets/100%")).toEqual(datasetRoute("100%"));
    expect(parseRoute("#/runs/a?epoch=many")).toEqual(runRoute("a"));
  });
});
