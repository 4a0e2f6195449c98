//! Who owns how many bytes of a shard.
//!
//! A tenant has a row while it owns an entry, and no longer: about 100 bytes beside its name.

use hashbrown::HashMap;

/// Number of a tenant within a shard.
pub(crate) type Tenant = u32;

#[derive(Debug, Default)]
struct Row {
    name: Box<str>,
    bytes: u64,
    entries: u32,
}

/// Rows by number and numbers by name.
#[derive(Debug, Default)]
pub(crate) struct Tenants {
    rows: Vec<Row>,
    numbers: HashMap<Box<str>, Tenant>,
    /// The number of the shared scope, which has no name: most entries are there.
    shared: Option<Tenant>,
    free: Vec<Tenant>,
}

impl Tenants {
    /// The number of `name`, new when it owns nothing yet; an entry of it must follow.
    pub(crate) fn enter(&mut self, name: &str) -> Tenant {
        if let Some(tenant) = self.find(name) {
            return tenant;
        }
        let tenant = self.free.pop().unwrap_or_else(|| {
            self.rows.push(Row::default());
            Tenant::try_from(self.rows.len() - 1).expect("fewer tenants than entries")
        });
        if name.is_empty() {
            self.shared = Some(tenant);
        } else {
            self.rows[tenant as usize].name = name.into();
            self.numbers.insert(name.into(), tenant);
        }
        tenant
    }

    /// The number of `name`, if it owns anything.
    pub(crate) fn find(&self, name: &str) -> Option<Tenant> {
        if name.is_empty() { self.shared } else { self.numbers.get(name).copied() }
    }

    pub(crate) fn bytes(&self, tenant: Tenant) -> u64 {
        self.rows[tenant as usize].bytes
    }

    pub(crate) fn add(&mut self, tenant: Tenant, bytes: u64) {
        let row = &mut self.rows[tenant as usize];
        row.bytes += bytes;
        row.entries += 1;
    }

    pub(crate) fn remove(&mut self, tenant: Tenant, bytes: u64) {
        let row = &mut self.rows[tenant as usize];
        row.bytes -= bytes;
        row.entries -= 1;
        if row.entries == 0 {
            let left = std::mem::take(row);
            if left.name.is_empty() {
                self.shared = None;
            } else {
                self.numbers.remove(&left.name);
            }
            self.free.push(tenant);
        }
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        let names: usize = self.rows.iter().map(|row| 2 * row.name.len()).sum();
        names
            + self.rows.capacity() * size_of::<Row>()
            + self.numbers.allocation_size()
            + self.free.capacity() * size_of::<Tenant>()
    }

    /// Panics unless the rows sum up what `owned` lists.
    pub(crate) fn check(&self, owned: impl Iterator<Item = (Tenant, u64)>) {
        let mut sums = vec![(0, 0); self.rows.len()];
        for (tenant, bytes) in owned {
            sums[tenant as usize].0 += bytes;
            sums[tenant as usize].1 += 1;
        }
        for (row, (bytes, entries)) in self.rows.iter().zip(sums) {
            assert_eq!((row.bytes, row.entries), (bytes, entries), "tenant {:?}", row.name);
        }
        let owning = self.rows.iter().filter(|row| row.entries > 0).count();
        let named = self.numbers.len() + usize::from(self.shared.is_some());
        assert_eq!(named, owning, "a tenant without entries has a row");
    }
}
