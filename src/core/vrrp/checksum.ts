/** The Internet checksum (RFC 1071) over byte ranges, summed piece by piece. */

/** Adds 16-bit words of `bytes[from, to)` to `sum`; an odd last byte counts as its high half. */
export function sumWords(sum: number, bytes: Uint8Array, from: number, to: number): number {
  let total = sum;
  let i = from;
  for (; i + 1 < to; i += 2) total += (bytes[i]! << 8) | bytes[i + 1]!;
  if (i < to) total += bytes[i]! << 8;
  return total;
}

/** Folds carries and complements: the value that goes on the wire. */
export function foldChecksum(sum: number): number {
  let total = sum;
  while (total > 0xffff) total = (total & 0xffff) + Math.floor(total / 0x10000);
  return ~total & 0xffff;
}

/**
 * Sum of the pseudo header for protocol 112: IPv4 as RFC 793 has it, IPv6 as RFC 8200 section 8.1.
 * `source` and `destination` are 4 or 16 bytes.
 */
export function sumPseudoHeader(
  source: Uint8Array,
  destination: Uint8Array,
  length: number,
): number {
  const sum = sumWords(sumWords(0, source, 0, source.length), destination, 0, destination.length);
  return sum + 112 + length;
}
