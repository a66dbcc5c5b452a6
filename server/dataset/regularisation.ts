/** Whether a subset holds regularisation pictures: those of the class without the subject, below `reg/` as kohya_ss lays them out. */
export function isRegularisation(subset: string): boolean {
  return subset.split("/")[0]?.toLowerCase() === "reg";
}
