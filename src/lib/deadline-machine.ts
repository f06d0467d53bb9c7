/** The second shape of core code; the first is a plain function. See ARCHITECTURE.md. */
export interface Machine<Input, Action> {
  /** The earliest moment (monotonic ms) at which the machine wants a `woken`; Infinity = never. */
  readonly deadline: number;
  /** Never throws on outside input. The returned array is valid until the next `step`. */
  step(now: number, input: Input): readonly Action[];
}
