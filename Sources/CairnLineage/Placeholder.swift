// CairnLineage
