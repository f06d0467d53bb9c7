/**
 * What others said, for a line that ends up in somebody's terminal: control characters (the end of the line,
 * the escape that begins an order to the terminal) become a space.
 */
export function printable(text: string): string {
  return text.replace(/[^\x20-\x7e\u00a0-\uffff]+/g, " ").trim();
}
