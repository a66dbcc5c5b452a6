import { afterAll, beforeAll, describe } from "vitest";
import { describeAxes } from "./axes.js";
import { describeBadCases } from "./bad-cases.js";
import { describeComebacks } from "./comebacks.js";
import { describeDoors } from "./doors.js";
import { describeGrid } from "./grid.js";
import { type House, openHouse } from "./house.js";
import { webuiDir } from "./real-webui.js";
import { describeRoad } from "./road.js";
import { describeTurns } from "./turns.js";

const dir = webuiDir();

// One file, because the subjects share one WebUI: what the first ones install and train is what the others use.
describe.skipIf(dir === null)("in a real WebUI (SD_WEBUI_DIR)", () => {
  let opened: House;
  const house = () => opened;
  beforeAll(async () => {
    opened = await openHouse(dir ?? "");
  }, 600_000);
  afterAll(() => opened?.leave());
  describeRoad(house);
  describeGrid(house);
  describeAxes(house);
  describeTurns(house);
  describeComebacks(house);
  describeDoors(house);
  describeBadCases(house);
});
