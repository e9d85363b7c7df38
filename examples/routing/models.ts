/** Three classes over two sets of tables, each set in databases of its own. */
import { Entity, integer, text } from "@aludel/aludel/orm";
import { MetaData } from "@aludel/aludel/sql";

abstract class Base extends Entity.with({
  id: integer().primaryKey(),
  data: text(50).nullable(),
}) {
  override toString(): string {
    return `${this.constructor.name}(id=${this.id}, data='${this.data}')`;
  }
}

/** What lives in the leader and its followers. */
export abstract class DefaultBase extends Base {
  static override metadata = new MetaData();
}

/** What lives in the other database. */
export abstract class OtherBase extends Base {
  static override metadata = new MetaData();
}

export class Model1 extends DefaultBase.table("model1", {}) {}
export class Model2 extends DefaultBase.table("model2", {}) {}
export class Model3 extends OtherBase.table("model3", {}) {}
