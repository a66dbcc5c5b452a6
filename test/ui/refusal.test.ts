import { describe, expect, it } from "vitest";
import { refusalOf } from "../../ui/data/refusal.js";

const html = { "content-type": "text/html" };

describe("an answer that is not ok", () => {
  it("is the failure that it holds", async () => {
    const answer = Response.json({ code: "not_found", message: "There is no such picture." }, { status: 404 });
    expect(await refusalOf(answer)).toMatchObject({ failure: { code: "not_found" }, message: "There is no such picture." });
  });

  it("of a proxy in between is told in words, and never as its page", async () => {
    const tooLarge = new Response("<html>413 Request Entity Too Large</html>", { status: 413, headers: html });
    expect((await refusalOf(tooLarge)).message).toContain("client_max_body_size");
    const gateway = new Response("<html><h1>Bad Gateway</h1></html>", { status: 502, statusText: "Bad Gateway", headers: html });
    expect((await refusalOf(gateway)).message).toBe("502 Bad Gateway");
  });

  it("that wants a login says so by its code", async () => {
    expect((await refusalOf(new Response("", { status: 401 }))).failure.code).toBe("unauthorized");
  });
});
