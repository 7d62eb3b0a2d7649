import { Link } from '@tanstack/react-router'
import { EntityLink } from './EntityLink'

/** What a run or an event is about: an entity and a run have pages; a repository or a token is named in words. */
export function Subject({ subject }: { subject: string }) {
  const [kind, id = ''] = subject.split(/:(.*)/s)
  if (kind === 'run' && id)
    return (
      <Link to="/runs/$id" params={{ id }} className="mono">
        run {id.slice(0, 13)}
      </Link>
    )
  const [repository = '', number = ''] = id.split('/')
  if (kind === 'pull' && number)
    return (
      <Link to="/pulls/$repository/$number" params={{ repository, number }}>
        {repository}#{number}
      </Link>
    )
  if (/^[a-z]+:[^/]+\/[^/]+$/i.test(subject)) return <EntityLink entity={subject} size={16} />
  return <span className="t2">{subject.replace(':', ' ')}</span>
}
