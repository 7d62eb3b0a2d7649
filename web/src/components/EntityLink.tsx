import { Link } from '@tanstack/react-router'
import { shortRef, splitRef } from '~/api/refs'
import { Avatar } from '~/ui/Avatar'
import { KindIcon } from '~/ui/KindIcon'
import s from './shared.module.css'

type Props = { entity: string; title?: string; icon?: boolean; size?: number; defaultKind?: string }
/** An entity by its reference, `kind:namespace/name`. Teams have initials, everything else its kind's tile. */
export function EntityLink({ entity, title, icon = true, size = 18, defaultKind }: Props) {
  const parts = splitRef(entity, defaultKind)
  const people = parts.kind === 'group' || parts.kind === 'user'
  return (
    <Link to="/catalog/$kind/$namespace/$name" params={parts} className={s.entity} title={entity}>
      {icon &&
        (people ? (
          <Avatar name={parts.name} square={parts.kind === 'group'} size={size} />
        ) : (
          <KindIcon kind={parts.kind} size={size} />
        ))}
      <span className="trunc">{title ?? shortRef(entity)}</span>
    </Link>
  )
}
