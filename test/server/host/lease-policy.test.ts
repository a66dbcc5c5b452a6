import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type LeaseInput, type LeaseModel, leaseStep, newLease } from "../../../server/host/lease-policy.js";

const fresh = (changes: Partial<LeaseModel> = {}): LeaseModel => ({ ...newLease({ tasks: 0, drawing: false, wanted: true }), ...changes });

/** Feeds the inputs one after the other; what was done is written as words. */
function run(inputs: readonly LeaseInput[], from: LeaseModel = fresh()): { model: LeaseModel; done: string[] } {
  return inputs.reduce<{ model: LeaseModel; done: string[] }>(
    ({ model, done }, input) => {
      const step = leaseStep(model, input);
      return {
        model: step.model,
        done: [...done, ...step.actions.map((action) => (action.type === "release" ? `release ${action.lease}` : action.type))],
      };
    },
    { model: from, done: [] },
  );
}

const held: readonly LeaseInput[] = [{ type: "begin" }, { type: "granted", lease: "a" }];

describe("taking turns", () => {
  test("the trainer starts when the lease is there, and the lease goes back when it has left", () => {
    expect(run([...held, { type: "end" }]).done).toEqual(["ask", "go", "release a"]);
  });

  test("an epoch's end with waiting tasks parks, lends until the queue is dry, and takes the GPU again", () => {
    const { model, done } = run([
      ...held,
      { type: "tasks", tasks: 2 },
      { type: "epochEnded" },
      { type: "parked" },
      { type: "tasks", tasks: 1 },
      { type: "tasks", tasks: 0 },
      { type: "granted", lease: "b" },
    ]);
    expect(done).toEqual(["ask", "go", "park", "release a", "waitForQuiet", "waitForQuiet", "stopWaiting", "ask", "unpark"]);
    expect(model).toMatchObject({ phase: "held", lease: "b" });
  });

  test("an epoch's end with nobody waiting changes nothing", () => {
    expect(run([...held, { type: "epochEnded" }]).done).toEqual(["ask", "go"]);
  });

  test("lending at once ends after a quiet while, also when nobody came", () => {
    expect(run([...held, { type: "lend" }, { type: "parked" }, { type: "quiet" }]).done).toEqual([
      "ask",
      "go",
      "park",
      "release a",
      "waitForQuiet",
      "ask",
    ]);
  });

  test("a drawing keeps the GPU lent until it is done, however quiet it is", () => {
    const { model, done } = run([
      ...held,
      { type: "drawing", on: true },
      { type: "parked" },
      { type: "quiet" },
      { type: "tasks", tasks: 0 },
    ]);
    expect(model.phase).toBe("lent");
    expect(done.slice(2)).toEqual(["park", "release a", "waitForQuiet"]);
    expect(run([{ type: "drawing", on: false }], model).done).toEqual(["stopWaiting", "ask"]);
  });

  test("a training that begins while the WebUI draws for another run waits for the drawing's end", () => {
    const { model, done } = run([{ type: "begin" }], fresh({ drawing: true }));
    expect([model.phase, done]).toEqual(["lent", []]);
    expect(
      run(
        [
          { type: "drawing", on: false },
          { type: "granted", lease: "a" },
        ],
        model,
      ).done,
    ).toEqual(["stopWaiting", "ask", "go"]);
  });
});

describe("ways out", () => {
  test.each<[string, readonly LeaseInput[], readonly string[]]>([
    ["while it waits", [{ type: "begin" }], ["takeBackAsk"]],
    ["while it parks", [...held, { type: "lend" }], ["release a"]],
    ["while it is parked", [...held, { type: "lend" }, { type: "parked" }], ["stopWaiting"]],
  ])("a training that ends %s leaves nothing behind", (_, inputs, done) => {
    const { model } = run(inputs);
    expect(run([{ type: "end" }], model).done).toEqual(done);
  });

  test("a WebUI that goes during the lease lets training go on, and gets it parked before the next lease", () => {
    const gone = run([...held, { type: "wanted", wanted: false, lost: true }]);
    expect([gone.model.phase, gone.done]).toEqual(["off", ["ask", "go"]]);
    const back = run([{ type: "wanted", wanted: true, lost: false }, { type: "parked" }, { type: "granted", lease: "b" }], gone.model);
    expect(back.done).toEqual(["park", "ask", "unpark"]);
  });

  test("a WebUI that goes while it has the GPU brings the trainer back", () => {
    expect(run([...held, { type: "lend" }, { type: "parked" }, { type: "wanted", wanted: false, lost: true }]).done.slice(-2)).toEqual([
      "stopWaiting",
      "unpark",
    ]);
  });

  test("a changed mind gives the lease back at once", () => {
    expect(run([...held, { type: "wanted", wanted: false, lost: false }]).done).toEqual(["ask", "go", "release a"]);
    expect(run([{ type: "begin" }, { type: "wanted", wanted: false, lost: false }]).done).toEqual(["ask", "takeBackAsk", "go"]);
  });

  test("a refused lease lets training go on without it, and nothing asks again and again", () => {
    const { model, done } = run([{ type: "begin" }, { type: "refused" }, { type: "wanted", wanted: true, lost: false }]);
    expect([model.phase, done]).toEqual(["off", ["ask", "go"]]);
  });

  test("without a wish for turns nothing is ever asked", () => {
    const inputs: LeaseInput[] = [
      { type: "begin" },
      { type: "tasks", tasks: 3 },
      { type: "epochEnded" },
      { type: "drawing", on: true },
      { type: "end" },
    ];
    expect(run(inputs, fresh({ wanted: false })).done).toEqual(["go"]);
  });
});

test("whatever happens, every lease is given back or lost, and the trainer never waits for nothing", () => {
  const input = fc.oneof(
    fc.constantFrom<LeaseInput>(
      { type: "epochEnded" },
      { type: "lend" },
      { type: "parked" },
      { type: "refused" },
      { type: "quiet" },
      { type: "drawing", on: true },
      { type: "drawing", on: false },
      { type: "wanted", wanted: true, lost: false },
      { type: "wanted", wanted: false, lost: false },
      { type: "wanted", wanted: false, lost: true },
    ),
    fc.nat({ max: 3 }).map((tasks): LeaseInput => ({ type: "tasks", tasks })),
    fc.nat({ max: 999 }).map((lease): LeaseInput => ({ type: "granted", lease: String(lease) })),
  );
  fc.assert(
    fc.property(fc.boolean(), fc.array(input, { maxLength: 40 }), (wanted, inputs) => {
      let model = fresh({ wanted });
      let holding: string | null = null;
      let asked = false;
      let parkWanted = false;
      for (const next of [{ type: "begin" } as const, ...inputs, { type: "end" } as const]) {
        // A WebUI grants only what is asked, and a trainer parks only when it was told to.
        if (next.type === "granted" && !asked) continue;
        if (next.type === "parked" && !parkWanted) continue;
        if (next.type === "granted") [holding, asked] = [next.lease, false];
        if (next.type === "refused") asked = false;
        if (next.type === "wanted" && next.lost) [holding, asked] = [null, false];
        const step = leaseStep(model, next);
        model = step.model;
        for (const action of step.actions) {
          if (action.type === "ask") asked = true;
          if (action.type === "takeBackAsk") asked = false;
          if (action.type === "park") parkWanted = true;
          if (action.type === "unpark") parkWanted = false;
          if (action.type === "release") {
            expect(action.lease).toBe(holding);
            holding = null;
          }
        }
        expect(model.lease).toBe(holding);
        if (model.phase === "held" || model.phase === "off") expect([parkWanted, asked]).toEqual([false, false]);
        if (model.phase === "asking") expect(asked).toBe(true);
      }
      expect([holding, asked]).toEqual([null, false]);
    }),
    { numRuns: 2000 },
  );
});
