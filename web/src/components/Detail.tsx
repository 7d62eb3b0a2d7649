import { type ApiError, permissionIn, sentence } from '~/api/errors'

/** The server's sentence about an error. A permission that it names stands out, so that a reader can copy it. */
export function Detail({ error: { status, detail: said } }: { error: ApiError }) {
  const detail = sentence(said)
  const permission = status === 403 ? permissionIn(detail) : undefined
  if (!permission) return <>{detail}</>
  const at = detail.indexOf(permission)
  return (
    <>
      {detail.slice(0, at)}
      <code className="mono">{permission}</code>
      {detail.slice(at + permission.length)}
    </>
  )
}
