/** `1 request`, `3 requests`: for words whose plural has an s. */
export function counted(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}
