import type { ApiError } from '~/api/errors'

/** The server's sentence about an error. A permission that it names stands out, so that a reader can copy it. */
export function Detail({ error }: { error: ApiError }) {
  const { detail, permission } = error
  if (error.status !== 403 || !permission) return <>{detail}</>
  const named = <code className="mono">{permission}</code>
  const at = detail.indexOf(permission)
  if (at < 0)
    return (
      <>
        {detail}
        <div>It needs {named}: ask an administrator for a role that grants it.</div>
      </>
    )
  return (
    <>
      {detail.slice(0, at)}
      {named}
      {detail.slice(at + permission.length)}
    </>
  )
}
