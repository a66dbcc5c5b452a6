/** What decides a subset's repeats: its trained pictures, and the number in its folder's name as the share it should have. */
export type SubsetShare = { name: string; images: number; repeats: number };

// Rather keep folders in exact proportion than hit the target, as long as the run stays so close to it.
const TOLERANCE = 0.1;

/**
 * Repeats of each subset so that a run sees about `targetSteps` × `batchSize` pictures in `epochs` epochs: for equal
 * shares ceil(targetSteps × batchSize / epochs / images), else numbers in (nearly) the proportion of the folders' own.
 */
export function solveRepeats(
  subsets: readonly SubsetShare[],
  { targetSteps, batchSize, epochs }: { targetSteps: number; batchSize: number; epochs: number },
): Map<string, number> {
  const divisor = subsets.reduce((gcd, { repeats }) => greatestCommonDivisor(gcd, repeats), 0);
  const shares = subsets.map((subset) => ({ ...subset, share: subset.repeats / divisor }));
  const perRound = shares.reduce((sum, { images, share }) => sum + images * share, 0);
  const wanted = targetSteps * batchSize;
  // Whole numbers are divided once, so that an exact fit is not rounded up by a floating-point remainder.
  const rounds = Math.max(1, Math.ceil(wanted / (epochs * perRound)));
  const isEqual = shares.every(({ share }) => share === 1);
  const isClose = Math.abs(rounds * perRound * epochs - wanted) <= TOLERANCE * wanted;
  return new Map(
    shares.map(({ name, share }) => {
      const exact = rounds * share;
      return [name, isEqual || isClose ? exact : Math.max(1, Math.round((wanted * share) / (epochs * perRound)))];
    }),
  );
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
