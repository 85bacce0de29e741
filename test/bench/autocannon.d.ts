// The part of autocannon 9 that the bench uses; the package has no types of its own.
declare module "autocannon" {
  interface Options {
    url: string;
    connections: number;
    duration: number;
    method: "POST";
    headers: Record<string, string>;
    body: string;
  }
  interface Result {
    /** Seconds that it really took. */
    duration: number;
    errors: number;
    non2xx: number;
    requests: { total: number };
  }
  interface Run extends Promise<Result> {
    on(
      event: "response",
      listener: (client: object, statusCode: number, bytes: number, milliseconds: number) => void,
    ): Run;
  }
  export default function autocannon(options: Options): Run;
}
