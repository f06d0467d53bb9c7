/** Carries a gRPC health check: node's HTTP/2 client, one connection for one question. */

import { connect, type IncomingHttpHeaders } from "node:http2";
import type { CheckProtocol, CheckTarget } from "../core/check/check-settings.ts";
import {
  GRPC_HEALTH_PATH,
  grpcHealthRequest,
  judgeGrpcHealth,
  MAX_GRPC_ANSWER,
} from "../core/check/grpc-health.ts";
import type { ProbeResult } from "../core/check/probe.ts";
import { certificateWarning, openCheckStream, streamFailure } from "./check-stream.ts";

type GrpcSettings = Extract<CheckProtocol, { kind: "grpc" }>;

export function runGrpcCheck(
  target: CheckTarget,
  { service, tls }: GrpcSettings,
  host: string,
  onEnd: (result: ProbeResult) => void,
): () => void {
  const socket = openCheckStream(target, tls, ["h2"]);
  if ("ok" in socket) {
    const told = setImmediate(() => onEnd(socket));
    return () => clearImmediate(told);
  }
  const scheme = tls === undefined ? "http" : "https";
  const session = connect(`${scheme}://${host}`, { createConnection: () => socket });
  let isOver = false;
  const close = (): void => {
    isOver = true;
    session.destroy();
    socket.destroy();
  };
  const end = (result: ProbeResult): void => {
    if (isOver) return;
    const warning = tls === undefined ? undefined : certificateWarning(socket, tls);
    close();
    onEnd(warning === undefined ? result : { ...result, warning });
  };
  const fail = (error: NodeJS.ErrnoException): void => {
    end(streamFailure(error));
  };
  session.on("error", fail);
  socket.on("error", fail);
  session.on("close", () => end({ ok: false, reason: "the connection was closed" }));
  const stream = session.request({
    ":method": "POST",
    ":path": GRPC_HEALTH_PATH,
    "content-type": "application/grpc",
    te: "trailers",
    "user-agent": "nines-check",
  });
  stream.on("error", fail);
  const answer = { httpStatus: 0, grpcStatus: "", grpcMessage: "" };
  const note = (fields: IncomingHttpHeaders): void => {
    answer.grpcStatus = fields["grpc-status"]?.toString() ?? answer.grpcStatus;
    answer.grpcMessage = fields["grpc-message"]?.toString() ?? answer.grpcMessage;
  };
  const body: Buffer[] = [];
  let length = 0;
  stream.on("response", (head) => {
    answer.httpStatus = Number(head[":status"]);
    note(head);
  });
  stream.on("trailers", note);
  stream.on("data", (bytes: Buffer) => {
    length += bytes.length;
    if (length <= MAX_GRPC_ANSWER) body.push(bytes);
  });
  stream.on("end", () => end(judgeGrpcHealth({ ...answer, body: Buffer.concat(body) })));
  stream.end(grpcHealthRequest(service));
  return close;
}
