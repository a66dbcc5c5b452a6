import { join } from "node:path";
import { ResultOf } from "../../protocol/messages.js";
import { type Connection, connect } from "../../server/demo/connect.js";
import { readServerFile, type ServerFile } from "../../server/http/running-server.js";
import { type RunningServer, startServer } from "../../server/start.js";
import { makeTempHome, type TempHome, writePictures } from "./temp-home.js";

/** The real server of a home, and how it is reached. */
export async function startTestServer(home: TempHome): Promise<{ running: RunningServer; server: ServerFile }> {
  const running = await startServer({ home: home.home });
  const server = await readServerFile(home);
  if (server === null) throw new Error("the server wrote no file");
  return { running, server };
}

/** A few pictures as the data set "moss". */
export async function importMoss(page: Pick<Connection, "request">, home: TempHome): Promise<void> {
  const source = await writePictures(join(home.home, "pictures"));
  await page.request({ type: "importDataset", source, name: "moss" }, ResultOf.importDataset);
}

export type MossServer = { home: TempHome; server: ServerFile; connection: Connection; close(): Promise<void> };

/** A server in a home of its own that holds the data set "moss", and a connection to it. */
export async function openMossServer(): Promise<MossServer> {
  const home = await makeTempHome();
  const { running, server } = await startTestServer(home);
  const connection = await connect(server);
  await importMoss(connection, home);
  return {
    home,
    server,
    connection,
    async close() {
      connection.close();
      await running.close();
      await home.remove();
    },
  };
}
