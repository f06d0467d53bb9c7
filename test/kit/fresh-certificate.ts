import { execFileSync } from "node:child_process";

/** Writes a certificate that signs itself, with its key in the same file; `names` as in subjectAltName. */
export function freshCertificate(file: string, commonName: string, names?: string): void {
  const fresh = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2";
  const words = `${fresh} -keyout ${file} -out ${file} -subj /CN=${commonName}`;
  const more = names === undefined ? "" : ` -addext subjectAltName=${names}`;
  execFileSync("openssl", `${words}${more}`.split(" "), { stdio: "pipe" });
}
