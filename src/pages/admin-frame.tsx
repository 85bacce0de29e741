// The frame of every admin page: the way to each section, the sign-out,
// and the page's own content. Called by the admin pages only.

import type { PropsWithChildren } from "hono/jsx";
import { Layout, type LayoutView } from "./layout.tsx";
import { PostForm } from "./parts.tsx";

/** What every admin page is given. */
export interface AdminPageView {
  readonly nonce: string;
  /** The token that each form on the page carries. */
  readonly csrf: string;
}

/** The sections in the order of the navigation: path and name. */
const SECTIONS = [
  ["/admin", "Overview"],
  ["/admin/connections", "Connections"],
  ["/admin/clients", "Clients"],
  ["/admin/machine-clients", "Machine clients"],
  ["/admin/agent-keys", "Agent keys"],
  ["/admin/approvals", "Requests"],
  ["/admin/spend", "Spend"],
  ["/admin/policy", "Policy"],
  ["/admin/tools", "Tools"],
  ["/admin/audit", "Audit"],
  ["/admin/doctor", "Client doctor"],
  ["/admin/setup", "Set-up"],
  ["/admin/sealing-keys", "Sealing keys"],
  ["/admin/sessions", "Sessions"],
] as const;

export type AdminSection = (typeof SECTIONS)[number][0];

/** Renders an admin page around `children`: heading, navigation with the current section marked, sign-out. */
export function AdminFrame({
  section,
  title,
  nonce,
  csrf,
  script,
  children,
}: PropsWithChildren<
  AdminPageView & { readonly section: AdminSection; readonly title: string } & Pick<LayoutView, "script">
>) {
  return (
    <Layout title={title} nonce={nonce} script={script} wide>
      <div class="row spread">
        <h1>{title}</h1>
        <PostForm action="/admin/sign-out" csrf={csrf}>
          <button type="submit">Sign out</button>
        </PostForm>
      </div>
      <nav class="sections" aria-label="Admin">
        <ul>
          {SECTIONS.map(([path, name]) => (
            <li>
              <a href={path} aria-current={path === section ? "page" : undefined}>
                {name}
              </a>
            </li>
          ))}
        </ul>
      </nav>
      {children}
    </Layout>
  );
}
