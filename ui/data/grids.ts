import { Grid } from "../../protocol/grid.js";
import { httpPaths } from "../../protocol/messages.js";
import type { Session } from "./session.js";

/** grid.json of a run, or null while it is not written yet. */
export async function readGrid(session: Session, job: string): Promise<Grid | null> {
  const answer = await session.fetch(httpPaths.gridFile(job, "grid.json"));
  return answer.ok ? Grid.parse(await answer.json()) : null;
}

/** Address of a cell or the sheet; with `size` a thumbnail with that longest side. */
export function gridFileUrl(session: Session, job: string, file: string, size?: number): string {
  return `${session.base}${httpPaths.gridFile(job, file, size)}`;
}
