import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { keepToItself } from "../../ui/shell/keep-to-itself.js";

type Seen = { isIntersecting: boolean };

/** What a browser has and Node has not; the element is a target of events with the few methods that are asked for. */
class Element extends EventTarget {
  isVisible = true;
  updates = 0;
  addController(): void {}
  requestUpdate(): void {
    this.updates += 1;
  }
  checkVisibility(): boolean {
    return this.isVisible;
  }
}

let look: (isIntersecting: boolean) => void;
let frames: (() => void)[];

beforeEach(() => {
  frames = [];
  vi.stubGlobal(
    "IntersectionObserver",
    class {
      constructor(callback: (entries: Seen[]) => void) {
        look = (isIntersecting) => callback([{ isIntersecting }]);
      }
      observe(): void {}
      disconnect(): void {}
    },
  );
  vi.stubGlobal("requestAnimationFrame", (frame: () => void) => frames.push(frame));
  vi.stubGlobal("cancelAnimationFrame", () => void frames.splice(0));
});

afterEach(() => {
  vi.unstubAllGlobals();
});

async function sightOf(element: Element) {
  const { SightController } = await import("../../ui/shell/sight-controller.js");
  const acts = { show: vi.fn(), draw: vi.fn(), hide: vi.fn() };
  const sight = Reflect.construct(SightController, [element, acts]);
  sight.hostConnected();
  return { sight, acts };
}

describe("a tab of the WebUI", () => {
  it("draws once a frame, however much has happened", async () => {
    const { sight, acts } = await sightOf(new Element());
    for (let event = 0; event < 100; event++) sight.draw();
    expect(frames).toHaveLength(1);
    frames.pop()?.();
    expect(acts.draw).toHaveBeenCalledTimes(1);
  });

  it("draws nothing while it is put away, and shows at once what has happened when it is opened", async () => {
    const element = new Element();
    const { sight, acts } = await sightOf(element);
    sight.draw();
    element.isVisible = false;
    look(false);
    for (let event = 0; event < 100; event++) sight.draw();
    expect(frames).toEqual([]);
    expect(acts.draw).not.toHaveBeenCalled();
    expect(acts.hide).toHaveBeenCalledTimes(1);
    look(true);
    expect(acts.show).toHaveBeenCalledTimes(1);
  });

  it("keeps its address when it is only scrolled away", async () => {
    const { acts } = await sightOf(new Element());
    look(false);
    expect(acts.hide).not.toHaveBeenCalled();
  });
});

describe("keys and drops in our tab", () => {
  const files = { types: ["Files"] };
  class Drag extends Event {
    dataTransfer = files;
  }

  it("do not reach the WebUI's handlers, and a dropped file does not replace its page", () => {
    vi.stubGlobal("DragEvent", Drag);
    const element = new EventTarget();
    const leave = keepToItself(element);
    const key = new Event("keydown", { bubbles: true, cancelable: true });
    element.dispatchEvent(key);
    expect([key.cancelBubble, key.defaultPrevented]).toEqual([true, false]);
    const drop = new Drag("drop", { bubbles: true, cancelable: true });
    element.dispatchEvent(drop);
    expect([drop.cancelBubble, drop.defaultPrevented]).toEqual([true, true]);
    leave();
    const later = new Event("keydown", { bubbles: true });
    element.dispatchEvent(later);
    expect(later.cancelBubble).toBe(false);
  });
});
