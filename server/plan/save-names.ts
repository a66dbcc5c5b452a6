/** File names of a run's LoRAs as kohya's trainer gives them: `name-000001.safetensors` …, the last epoch without a number. */
export function saveNames(outputName: string, epochs: number): string[] {
  return Array.from({ length: epochs }, (_, index) =>
    index + 1 === epochs ? `${outputName}.safetensors` : `${outputName}-${String(index + 1).padStart(6, "0")}.safetensors`,
  );
}
