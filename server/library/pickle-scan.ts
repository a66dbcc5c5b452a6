/** What a pickle would do if it were loaded, found without loading it. */
export type PickleScan = {
  /** Everything that it imports, as `module.name`; `?` stands for a part that is computed while loading. */
  imports: string[];
  /** Every text in it: keys of dictionaries among them. */
  texts: string[];
  /** Offset behind the pickle's STOP. */
  end: number;
};

/** Thrown when the bytes are no complete pickle. */
export class BrokenPickleError extends Error {}

/**
 * Walks the opcodes of one pickle (protocols 0–5, https://docs.python.org/3/library/pickletools.html) from `start` to its
 * STOP. Nothing is executed. A name counts as known only when it was pushed as text right before, so that a crafted
 * stack can hide nothing: what can't be told is reported as `?`.
 */
export function scanPickle(bytes: Buffer, start = 0): PickleScan {
  const state: State = { bytes, at: start, imports: [], texts: [], memo: new Map(), top: null, below: null };
  for (;;) {
    const opcode = take(state, 1)[0] ?? 0;
    if (opcode === op(".")) return { imports: [...new Set(state.imports)], texts: state.texts, end: state.at };
    step(state, opcode);
  }
}

type State = {
  bytes: Buffer;
  at: number;
  imports: string[];
  texts: string[];
  memo: Map<number, string | null>;
  /** The two topmost stack entries where they are known to be texts. */
  top: string | null;
  below: string | null;
};

const op = (character: string) => character.charCodeAt(0);

const plain = new Set([...[..."(012NRabd}el]ostu)Q"].map(op), 0x81, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8f, 0x90, 0x91, 0x92, 0x97, 0x98]);
const lines = new Set([..."FILP"].map(op));
/** Opcode → bytes of its fixed argument. */
const fixed = new Map<number, number>([
  [op("K"), 1],
  [0x80, 1],
  [op("M"), 2],
  [op("J"), 4],
  [op("G"), 8],
  [0x95, 8],
]);
/** Opcode → bytes of the length that stands before its argument. */
const counted = new Map<number, number>([
  [op("C"), 1],
  [0x8a, 1],
  [op("B"), 4],
  [0x8b, 4],
  [0x8e, 8],
  [0x96, 8],
]);
const countedTexts = new Map<number, number>([
  [op("U"), 1],
  [0x8c, 1],
  [op("T"), 4],
  [op("X"), 4],
  [0x8d, 8],
]);
const extensions = new Map<number, number>([
  [0x82, 1],
  [0x83, 2],
  [0x84, 4],
]);
const puts = new Map<number, number>([
  [op("q"), 1],
  [op("r"), 4],
]);
const gets = new Map<number, number>([
  [op("h"), 1],
  [op("j"), 4],
]);
const STACK_GLOBAL = 0x93;
const MEMOIZE = 0x94;
const PROTO = 0x80;
const FRAME = 0x95;

function step(state: State, opcode: number): void {
  const text = textOf(state, opcode);
  if (text !== undefined) {
    if (text !== null) state.texts.push(text);
    push(state, text);
  } else if (opcode === MEMOIZE) state.memo.set(state.memo.size, state.top);
  else if (puts.has(opcode)) state.memo.set(number(state, puts.get(opcode) ?? 1), state.top);
  else if (opcode === op("p")) state.memo.set(Number(line(state)), state.top);
  else if (gets.has(opcode)) push(state, state.memo.get(number(state, gets.get(opcode) ?? 1)) ?? null);
  else if (opcode === op("g")) push(state, state.memo.get(Number(line(state))) ?? null);
  else if (opcode === op("c") || opcode === op("i")) addImport(state, line(state), line(state));
  else if (opcode === STACK_GLOBAL) addImport(state, state.below, state.top);
  else if (extensions.has(opcode)) addImport(state, "copyreg extension", String(number(state, extensions.get(opcode) ?? 1)));
  else skip(state, opcode);
}

/** The text that an opcode pushes; null: a text that can't be told; undefined: the opcode pushes none. */
function textOf(state: State, opcode: number): string | null | undefined {
  const size = countedTexts.get(opcode);
  if (size !== undefined) return take(state, number(state, size)).toString("utf8");
  if (opcode === op("V") || opcode === op("S")) {
    const written = line(state);
    const bare = opcode === op("S") ? written.replace(/^(['"])(.*)\1$/, "$2") : written;
    // Escapes could spell a name in another way than it reads.
    return bare.includes("\\") ? null : bare;
  }
  return undefined;
}

function skip(state: State, opcode: number): void {
  const size = fixed.get(opcode);
  const lengthSize = counted.get(opcode);
  if (size !== undefined) take(state, size);
  else if (lengthSize !== undefined) take(state, number(state, lengthSize));
  else if (lines.has(opcode)) line(state);
  else if (!plain.has(opcode)) throw new BrokenPickleError(`unknown opcode ${opcode} at byte ${state.at - 1}`);
  // Neither touches the stack.
  if (opcode !== PROTO && opcode !== FRAME) forget(state);
}

function push(state: State, text: string | null): void {
  state.below = state.top;
  state.top = text;
}

function forget(state: State): void {
  state.below = null;
  state.top = null;
}

function addImport(state: State, module: string | null, name: string | null): void {
  state.imports.push(`${module ?? "?"}.${name ?? "?"}`);
  forget(state);
}

function take(state: State, count: number): Buffer {
  if (state.at + count > state.bytes.length) throw new BrokenPickleError(`it ends inside an opcode at byte ${state.at}`);
  const part = state.bytes.subarray(state.at, state.at + count);
  state.at += count;
  return part;
}

function number(state: State, size: number): number {
  const bytes = take(state, size);
  return size === 8 ? Number(bytes.readBigUInt64LE()) : bytes.readUIntLE(0, size);
}

function line(state: State): string {
  const end = state.bytes.indexOf(0x0a, state.at);
  if (end < 0) throw new BrokenPickleError(`it ends inside a line at byte ${state.at}`);
  const text = take(state, end - state.at).toString("utf8");
  state.at += 1;
  return text.replace(/\r$/, "");
}
