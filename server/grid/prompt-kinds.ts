/**
 * What each prompt of a grid asks for, by index. `called` hold the trigger word. `kin` do not, but ask for the same kind
 * of thing (`1girl` without the character's name): a LoRA of few pictures nearly always answers these too. All others are
 * foreign, and there it should keep still.
 */
export type PromptKinds = { called: number[]; kin: number[] };

/** Sorts prompts by the trigger word as a whole word in any case; without a trigger word all of them are called. */
export function promptKinds(prompts: readonly string[], triggerWord: string): PromptKinds {
  const trigger = triggerWord.trim();
  const indexes = [...prompts.keys()];
  if (trigger === "") return { called: indexes, kin: [] };
  const escaped = trigger.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const pattern = new RegExp(`(^|[^\\p{L}\\p{N}_])${escaped}($|[^\\p{L}\\p{N}_])`, "iu");
  const called = indexes.filter((index) => pattern.test(prompts[index] ?? ""));
  const subject = commonWords(called.map((index) => (prompts[index] ?? "").replace(pattern, " ")));
  const kin = indexes.filter((index) => !called.includes(index) && [...wordsOf(prompts[index] ?? "")].some((word) => subject.has(word)));
  return { called, kin };
}

/** Words that stand in prompts of any subject. */
const empty = new Set(
  "a an the of in on at with and or to by for from is photo picture image drawing masterpiece best quality solo simple background outdoors indoors day night white black looking viewer".split(
    " ",
  ),
);

function wordsOf(prompt: string): Set<string> {
  return new Set((prompt.toLowerCase().match(/[\p{L}\p{N}_]+/gu) ?? []).filter((word) => !empty.has(word)));
}

function commonWords(prompts: readonly string[]): Set<string> {
  const [first, ...others] = prompts.map(wordsOf);
  return new Set([...(first ?? [])].filter((word) => others.every((words) => words.has(word))));
}
