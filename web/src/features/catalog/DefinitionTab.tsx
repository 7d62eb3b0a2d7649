import { Link } from '@tanstack/react-router'
import { Panel } from '~/ui/parts'
import { YamlBlock } from '~/ui/YamlBlock'
import ui from '~/ui/ui.module.css'
import type { TabProps } from './EntityPage'
import { toYaml } from './yaml'

export default function DefinitionTab({ entity, entityRef }: TabProps) {
  return (
    <Panel title="Definition" right={<Link to="/runs" search={{ subject: entityRef }} className={ui.cellLink}>Its runs</Link>} pad={12}>
      <YamlBlock code={toYaml(entity)} label="Entity as YAML" />
    </Panel>
  ) // prettier-ignore
}
