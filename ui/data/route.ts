import { addressRoot } from "./address.js";

export type DatasetStep = "pictures" | "tags" | "plan";

/** Every place of the app. The address is the only place where it is kept, so Back, reload and a copied link work. */
export type Route =
  | { page: "datasets" }
  | { page: "dataset"; dataset: string; step: DatasetStep; filter: Filter }
  | { page: "runs" }
  | { page: "run"; job: string; epoch: number | null }
  | { page: "grids" }
  | { page: "grid"; job: string; view: GridView }
  | { page: "loras"; file: string | null }
  | { page: "settings" };

/** Which pictures the wall shows. */
export type Filter = { problem: string | null; has: string | null; text: string };

/** Whose pictures a grid shows: those that the trainer drew, or the WebUI's. */
export type GridSource = "preview" | "webui";

export type GridView = { source: GridSource; prompt: number; epoch: number | null; weight: number | null; seed: number };

export const noFilter: Filter = { problem: null, has: null, text: "" };
export const firstView: GridView = { source: "preview", prompt: 0, epoch: null, weight: null, seed: 0 };

/** Reads a location's hash; what it does not know becomes the list of data sets. */
export function parseRoute(hash: string): Route {
  const [path = "", search = ""] = hash.replace(/^#(train-lora)?\/?/, "").split("?");
  const query = new URLSearchParams(search);
  const [page, name, step] = path.split("/").map(decode);
  switch (page) {
    case "datasets":
      return name ? { page: "dataset", dataset: name, step: asStep(step), filter: asFilter(query) } : { page: "datasets" };
    case "runs":
      return name ? { page: "run", job: name, epoch: asNumber(query.get("epoch")) } : { page: "runs" };
    case "grids":
      return name ? { page: "grid", job: name, view: asView(query) } : { page: "grids" };
    case "loras":
      return { page: "loras", file: query.get("file") };
    case "settings":
      return { page: "settings" };
    default:
      return { page: "datasets" };
  }
}

/** The hash of a route, for links. */
export function routeHash(route: Route): string {
  switch (route.page) {
    case "dataset":
      return address(["datasets", route.dataset, route.step], {
        problem: route.filter.problem,
        has: route.filter.has,
        text: route.filter.text,
      });
    case "run":
      return address(["runs", route.job], { epoch: route.epoch });
    case "grid":
      return address(["grids", route.job], {
        source: route.view.source === "webui" ? "webui" : null,
        prompt: route.view.prompt || null,
        epoch: route.view.epoch,
        weight: route.view.weight,
        seed: route.view.seed || null,
      });
    case "loras":
      return address(["loras"], { file: route.file });
    case "datasets":
    case "runs":
    case "grids":
    case "settings":
      return address([route.page], {});
    default: {
      const unknownRoute: never = route;
      return unknownRoute;
    }
  }
}

export const datasetRoute = (dataset: string, step: DatasetStep = "pictures", filter: Partial<Filter> = {}): Route => ({
  page: "dataset",
  dataset,
  step,
  filter: { ...noFilter, ...filter },
});
export const runRoute = (job: string, epoch: number | null = null): Route => ({ page: "run", job, epoch });
export const gridRoute = (job: string, view: Partial<GridView> = {}): Route => ({ page: "grid", job, view: { ...firstView, ...view } });

function address(parts: string[], query: Record<string, string | number | null>): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) if (value !== null && value !== "") search.set(key, String(value));
  const text = search.toString();
  return `${addressRoot()}${parts.map(encodeURIComponent).join("/")}${text ? `?${text}` : ""}`;
}

function asStep(text: string | undefined): DatasetStep {
  return text === "tags" || text === "plan" ? text : "pictures";
}

function asFilter(query: URLSearchParams): Filter {
  return { problem: query.get("problem"), has: query.get("has"), text: query.get("text") ?? "" };
}

function asView(query: URLSearchParams): GridView {
  return {
    source: query.get("source") === "webui" ? "webui" : "preview",
    prompt: asNumber(query.get("prompt")) ?? 0,
    epoch: asNumber(query.get("epoch")),
    weight: asNumber(query.get("weight")),
    seed: asNumber(query.get("seed")) ?? 0,
  };
}

function asNumber(text: string | null): number | null {
  const value = text === null || text === "" ? Number.NaN : Number(text);
  return Number.isFinite(value) ? value : null;
}

// A hand-typed address may hold a stray "%"; it is then taken literally.
function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
