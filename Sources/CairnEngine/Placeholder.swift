// CairnEngine
