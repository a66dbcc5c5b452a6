import { Failure, FailureError } from "../../protocol/errors.js";

/** What an HTTP answer that is not ok says, as the error to throw. */
export async function refusalOf(answer: Response): Promise<FailureError> {
  const text = await answer.text();
  const failure = Failure.safeParse(parseJson(text));
  if (failure.success) return new FailureError(failure.data.code, failure.data.message, failure.data.details);
  return new FailureError(answer.status === 401 ? "unauthorized" : "bad_request", wordsOfAnother(answer, text));
}

/** A proxy in between answers with a page of its own, of which nobody wants to read the HTML. */
function wordsOfAnother(answer: Response, text: string): string {
  if (answer.status === 413)
    return "A proxy in front of the server takes no file of this size; raise its limit (client_max_body_size in nginx).";
  const isPage = answer.headers.get("content-type")?.includes("html") ?? false;
  return (isPage ? "" : text) || `${answer.status} ${answer.statusText}`.trim();
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null; // a proxy in between has answered with a page of its own
  }
}
