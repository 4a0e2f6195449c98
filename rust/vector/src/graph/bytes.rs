//! graph ↔ bytes: where a walk starts, the centre of the codes, and level by level who is linked with whom.

use crate::error::Error;
use crate::graph::links::Links;
use crate::graph::{BOUND, Coded, Codes, Graph, MOST_LEVELS, WANTED};
use crate::ids::Ids;
use crate::rows::Rows;
use crate::snapshot::{Reader, damaged};

impl Graph {
    /// Appends all that does not follow from the rows.
    pub(crate) fn export(&self, to: &mut Vec<u8>) {
        to.extend(self.entry.to_le_bytes());
        to.extend(self.centre().into_iter().flatten().flat_map(|value| value.to_le_bytes()));
        to.push(u8::try_from(self.levels.len()).expect("there are few levels"));
        for links in &self.levels {
            to.extend((links.len() as u64).to_le_bytes());
            let members = links.members().map_or(&[][..], Ids::as_slice);
            to.extend(members.iter().flat_map(|node| node.to_le_bytes()));
            for node in links.nodes() {
                let others = links.of(node);
                to.push(u8::try_from(others.len()).expect("a node has few links"));
                to.extend(others.iter().flat_map(|other| other.to_le_bytes()));
            }
        }
    }

    /// Reads what `export` wrote of a graph of all `rows`.
    pub(crate) fn import(reader: &mut Reader<'_>, rows: &Rows) -> Result<Self, Error> {
        let mut graph = Self::new(rows);
        graph.entry = u32::from_le_bytes(*reader.take()?);
        if let Some(coded) = &mut graph.coded {
            let centre = reader.centre(rows.width())?;
            **coded = Coded::about(centre, rows);
        }
        let levels = usize::from(reader.take::<1>()?[0]);
        if !(1..=MOST_LEVELS + 1).contains(&levels) {
            return Err(damaged("a graph of so many levels"));
        }
        graph.levels.clear();
        for level in 0..levels {
            graph.levels.push(read_level(reader, level, rows.len())?);
        }
        graph.sound().map_err(damaged)?;
        if graph.len() == rows.len() { Ok(graph) } else { Err(damaged("a graph of other rows")) }
    }
}

fn read_level(reader: &mut Reader<'_>, level: usize, nodes: usize) -> Result<Links, Error> {
    let (bound, len) = (if level == 0 { BOUND } else { WANTED }, reader.number()?);
    let mut members = (level > 0).then(Ids::default);
    if let Some(ids) = &mut members {
        for node in reader.slice(len, size_of::<i64>())?.as_chunks().0 {
            let node = i64::from_le_bytes(*node);
            if ids.slot(node).is_some() || !usize::try_from(node).is_ok_and(|node| node < nodes) {
                return Err(damaged("a node that is no row, or is there twice"));
            }
            ids.push(node);
        }
    }
    let mut lists = Vec::new();
    for _ in 0..len {
        let held = usize::from(reader.take::<1>()?[0]);
        let links = reader.slice(held, size_of::<u32>())?.as_chunks().0.iter();
        let links: Vec<u32> = links.map(|&other| u32::from_le_bytes(other)).collect();
        if held > bound || links.iter().any(|&other| other as usize >= nodes) {
            return Err(damaged("links of a node that are too many, or lead to no row"));
        }
        lists.push(links);
    }
    let empty = if level == 0 { Links::of_all(bound) } else { Links::of_some(bound) };
    Ok(empty.restored(members, &lists))
}

impl Coded {
    /// Codes of all `rows` about `centre`.
    fn about(centre: Vec<f32>, rows: &Rows) -> Self {
        let mut coded = Self { codes: Codes::new(Vec::new()), sum: vec![0.0; rows.width()], changes: 0 };
        coded.code_about(centre, rows, rows.len());
        let mut row = vec![0.0; rows.width()];
        for node in 0..rows.len() {
            rows.read(node, &mut row);
            coded.moved(&row, 1.0);
        }
        coded.changes = 0;
        coded
    }
}
