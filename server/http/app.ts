import { existsSync } from "node:fs";
import { join } from "node:path";
import express, { type ErrorRequestHandler, type RequestHandler } from "express";
import { z } from "zod";
import { type ErrorCode, type Failure, FailureError } from "../../protocol/errors.js";
import { httpPaths, PROTOCOL_VERSION } from "../../protocol/messages.js";
import { checkoutRoot, serverVersion } from "../checkout.js";
import type { State } from "../state.js";
import { failureOf } from "../trainer/failure-of.js";
import { accessOf, checkMethod } from "./access.js";
import { checkCaller } from "./caller.js";
import { fileRoutes } from "./files.js";
import type { Session } from "./session.js";
import { uploadRoutes } from "./uploads.js";

export type AppRequest = {
  readonly state: State;
  readonly session: Session;
  readonly port: number;
  /** Ends the server in good order. */
  readonly shutDown: () => void;
};

/** The HTTP side. The page itself holds nothing private; everything below /api wants the secret or the cookie. */
export function makeApp({ state, session, port, shutDown }: AppRequest): express.Express {
  const app = express();
  app.disable("x-powered-by");
  app.use((request, response, next) => {
    checkCaller(request, port);
    response.set({ "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Content-Security-Policy": pagePolicy(port) });
    next();
  });
  app.post(httpPaths.session, express.json({ limit: "1kb" }), openSessionByCode(session));
  app.use("/api", (request, _response, next) => {
    if (!session.allows(request))
      throw new FailureError("unauthorized", "Open the address that the server printed at its start: it lets this browser in.");
    checkMethod(accessOf(request, session), request.method);
    next();
  });
  app.get(
    "/api/server",
    (_request, response) =>
      void response.json({
        pid: process.pid,
        version: serverVersion(),
        protocolVersion: PROTOCOL_VERSION,
        busy: state.queue.busy() || state.tasks.busy(),
      }),
  );
  app.post("/api/codes", (_request, response) => void response.json({ code: session.newCode() }));
  app.post("/api/shutdown", (_request, response) => {
    response.status(202).json({});
    shutDown();
  });
  app.use(uploadRoutes(state.paths.uploadsDir));
  app.use(fileRoutes(state, session));
  app.use("/api", (request) => {
    throw new FailureError("not_found", `There is nothing at ${request.originalUrl}.`);
  });
  app.use(servePage());
  app.use(tellFailure);
  return app;
}

const SessionBody = z.object({ code: z.string() });

function openSessionByCode(session: Session): RequestHandler {
  return (request, response) => {
    const body = SessionBody.safeParse(request.body);
    if (!body.success) throw new FailureError("bad_request", 'Expected a JSON body {"code": "…"}.');
    const cookie = session.redeem(body.data.code);
    if (cookie === null)
      throw new FailureError(
        "unauthorized",
        "This address was used already or belongs to an earlier start; start Train LoRA again for a fresh one.",
      );
    response.set("Set-Cookie", cookie).status(204).end();
  };
}

function servePage(): RequestHandler {
  const folder = join(checkoutRoot(), "dist", "ui");
  const page = express.static(folder, {
    dotfiles: "allow",
    setHeaders: (response, path) => {
      // Vite puts a hash of the content into the names below assets/.
      const lasting = path.includes(join("dist", "ui", "assets"));
      response.setHeader("Cache-Control", lasting ? "public, max-age=31536000, immutable" : "no-cache");
    },
  });
  return (request, response, next) => {
    if (existsSync(join(folder, "index.html"))) return page(request, response, () => next(notFound(request.originalUrl)));
    next(new FailureError("not_found", "The page is not built yet. Run `npm run build`, then reload."));
  };
}

function notFound(url: string): FailureError {
  return new FailureError("not_found", `There is nothing at ${url}.`);
}

function pagePolicy(port: number): string {
  const sockets = `ws://127.0.0.1:${port} ws://localhost:${port}`;
  return `default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; connect-src 'self' ${sockets}; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
}

const STATUS: Partial<Record<ErrorCode, number>> = {
  unauthorized: 401,
  restricted: 403,
  not_found: 404,
  dataset_not_found: 404,
  bad_request: 400,
  disk_full: 507,
};

// The one place where an HTTP request's error is caught; Express tells an error handler by its four parameters.
const tellFailure: ErrorRequestHandler = (error, _request, response, _next) => {
  const failure = failureOfRequest(error);
  if (response.headersSent) return void response.destroy();
  response.status(STATUS[failure.code] ?? 500).json(failure);
};

function failureOfRequest(error: unknown): Failure {
  // What Express itself refuses (a malformed address or body) carries a status below 500.
  const status = error instanceof Error && !(error instanceof FailureError) && "status" in error ? Number(error.status) : 500;
  if (status === 404) return { code: "not_found", message: "There is no such file." };
  if (status < 500)
    return { code: "bad_request", message: `The request could not be read: ${error instanceof Error ? error.message : ""}.` };
  return failureOf(error);
}
