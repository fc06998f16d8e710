/** Right end of the slider: 10, or room to double what there is, in round tens. */
export function sliderMax(replicas: number): number {
  return replicas < 10 ? 10 : Math.ceil((replicas * 2) / 10) * 10;
}

/** A typed number of replicas; undefined while it is not one. */
export function parseReplicas(text: string): number | undefined {
  return /^\d{1,5}$/.test(text.trim()) ? Number(text) : undefined;
}
