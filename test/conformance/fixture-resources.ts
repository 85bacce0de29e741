// The fixture's resources, prompts and completions. Texts are what the scenarios print. Called by fixture.ts.

import {
  completable,
  type GetPromptResult,
  type McpServer,
  ResourceTemplate,
} from "@modelcontextprotocol/server";
import * as z from "zod";
import { PIXEL_PNG } from "./fixture-content.ts";

/** Registers the resources, a template, and subscriptions for the revisions that have them. */
export function registerResources(server: McpServer): void {
  const text = "This is the content of the static text resource.";
  const plain = { description: "A text", mimeType: "text/plain" };
  server.registerResource("static-text", "test://static-text", plain, ({ href: uri }) => ({
    contents: [{ uri, mimeType: "text/plain", text }],
  }));
  const image = { description: "An image", mimeType: "image/png" };
  server.registerResource("static-binary", "test://static-binary", image, ({ href: uri }) => ({
    contents: [{ uri, mimeType: "image/png", blob: PIXEL_PNG }],
  }));
  server.registerResource("watched", "test://watched-resource", plain, ({ href: uri }) => ({
    contents: [{ uri, mimeType: "text/plain", text: "Watched." }],
  }));
  const template = new ResourceTemplate("test://template/{id}/data", { list: undefined });
  const json = { description: "One of many", mimeType: "application/json" };
  server.registerResource("template", template, json, ({ href: uri }, { id }) => {
    const content = { id, templateTest: true, data: `Data for ID: ${String(id)}` };
    return { contents: [{ uri, mimeType: "application/json", text: JSON.stringify(content) }] };
  });
  // Nothing here changes, so that there is nothing to remember about who watches what.
  server.server.setRequestHandler("resources/subscribe", () => ({}));
  server.server.setRequestHandler("resources/unsubscribe", () => ({}));
}

/** Registers the prompts; the arguments of one complete themselves. */
export function registerPrompts(server: McpServer): void {
  server.registerPrompt("test_simple_prompt", { description: "One text" }, () =>
    says({ type: "text", text: "This is a simple prompt for testing." }),
  );
  const places = (typed: string | undefined) =>
    ["paris", "park", "party"].filter((place) => place.startsWith(typed ?? ""));
  const argsSchema = z.object({ arg1: completable(z.string(), places), arg2: z.string() });
  const withArguments = { description: "A text with two arguments", argsSchema };
  server.registerPrompt("test_prompt_with_arguments", withArguments, ({ arg1, arg2 }) =>
    says({ type: "text", text: `Prompt with arguments: arg1='${arg1}', arg2='${arg2}'` }),
  );
  const withResource = {
    description: "A text and a resource",
    argsSchema: z.object({ resourceUri: z.string() }),
  };
  server.registerPrompt("test_prompt_with_embedded_resource", withResource, ({ resourceUri: uri }) =>
    says(
      {
        type: "resource",
        resource: { uri, mimeType: "text/plain", text: "Embedded resource content for testing." },
      },
      { type: "text", text: "Please process the embedded resource above." },
    ),
  );
  server.registerPrompt("test_prompt_with_image", { description: "A text and an image" }, () =>
    says(
      { type: "image", data: PIXEL_PNG, mimeType: "image/png" },
      { type: "text", text: "Please analyze the image above." },
    ),
  );
}

type Content = GetPromptResult["messages"][number]["content"];

function says(...contents: Content[]): GetPromptResult {
  return { messages: contents.map((content) => ({ role: "user", content })) };
}
