/** The same function, which does not work again while it is asked the same; for what a page derives at each of its many renders. */
export function memoOne<Arguments extends readonly unknown[], Result>(
  work: (...args: Arguments) => Result,
): (...args: Arguments) => Result {
  let last: { args: Arguments; result: Result } | null = null;
  return (...args) => {
    if (last === null || last.args.some((one, i) => one !== args[i])) last = { args, result: work(...args) };
    return last.result;
  };
}
