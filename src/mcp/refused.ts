// The refusal of an MCP message before it reaches Gong, or of Gong's answer to it. Thrown by the readers in this folder
// and by domain/; routes/mcp answers with `status` and `toResponseBody`. JSON-RPC 2.0 §5.1.
import { jsonRpcError, type JsonRpcError, type JsonRpcId } from "./errors.ts";

/** An expected refusal of a message. `message` is ours and says what to do; it never quotes the message. */
export class McpRefused extends Error {
  /** HTTP status of the answer. */
  readonly status: number;
  /** JSON-RPC error code. */
  readonly code: number;
  /** The id of the refused message; undefined when it could not be read, or there is none. */
  readonly id: JsonRpcId | undefined;

  constructor(status: number, code: number, message: string, id?: JsonRpcId) {
    super(message);
    this.name = "McpRefused";
    this.status = status;
    this.code = code;
    this.id = id;
  }

  /** Returns the JSON-RPC error response for the message with this id; an unknown id becomes null. */
  toResponseBody(id: JsonRpcId | undefined = this.id): JsonRpcError {
    return jsonRpcError(id, this.code, this.message);
  }
}
