import { Failure, FailureError } from "../../protocol/errors.js";

/** What an HTTP answer that is not ok says, as the error to throw. */
export async function refusalOf(answer: Response): Promise<FailureError> {
  const text = await answer.text();
  const failure = Failure.safeParse(parseJson(text));
  if (failure.success) return new FailureError(failure.data.code, failure.data.message, failure.data.details);
  return new FailureError(answer.status === 401 ? "unauthorized" : "bad_request", text || answer.statusText);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null; // a proxy in between has answered with a page of its own
  }
}
