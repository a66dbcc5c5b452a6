import type { Job } from "../../protocol/job.js";
import type { EpochFacts } from "../components/tl-epoch-row.js";
import { gridFileUrl } from "../data/grids.js";
import { epochPoints } from "../data/losses.js";
import { gridRoute, routeHash } from "../data/route.js";
import type { Session } from "../data/session.js";

/** What the row of a saved epoch shows: the cells of the first prompt and seed stand for it. */
export function epochFacts(session: Session, job: Job, save: Job["saves"][number], weights: readonly number[]): EpochFacts {
  const { epoch, file, bytes } = save;
  const point = epochPoints(job.evaluations).find((one) => one.epoch === epoch);
  const own = job.cells.filter((cell) => cell.epoch === epoch && cell.prompt === 0);
  return {
    epoch,
    file,
    bytes,
    heldOut: point?.heldOut ?? null,
    drift: point?.drift ?? null,
    cells: weights.map((weight) => {
      const cell = own.find((one) => one.weight === weight);
      return { weight, url: cell ? gridFileUrl(session, job.id, cell.file, 256) : null };
    }),
    isBest: job.verdict?.epoch === epoch,
    gridHref: own.length > 0 ? routeHash(gridRoute(job.id, { epoch, weight: own[0]?.weight ?? null })) : null,
  };
}
