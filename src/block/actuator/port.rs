//! Orders about ports, carried out over SNMP: read, compare the name, SET, read back.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::objects::{self, PowerRow};
use super::{ActError, Hand};
use crate::block::desk::Done;
use crate::block::{Observation, Order, Permit, Spot};
use crate::model::clock;
use crate::snmp::ask::{self, QuestionError};
use crate::snmp::job::{Credentials, End, SubmitError};
use crate::snmp::message::Version;
use crate::snmp::oid::Oid;
use crate::snmp::poll::mib;
use crate::snmp::poll::packing::Packing;
use crate::snmp::poll::table::{Kept, Table, TableJob, TableRow};
use crate::snmp::poll::walk::Caps;
use crate::snmp::set::{self, Datum, Warrant};

/// How long one reading or one SET may take, with the wait for a device that is being polled.
const TIME: Duration = Duration::from_secs(15);
/// What a table of a switch's ports may be.
const CAPS: Caps = Caps { rows: 8_192, octets: 4 << 20 };
/// A device that is being polled is asked again after so long.
const BUSY: Duration = Duration::from_millis(50);
/// Some switches answer first and do it a moment later: they are read again, so often and after so long.
const LOOKS: u32 = 4;
const LOOK_AFTER: Duration = Duration::from_millis(400);

impl Hand<'_> {
    /// What is there now.
    pub(super) async fn look(&self, order: &Order, spot: &Spot) -> Result<Observation, ActError> {
        let deadline = clock::monotonic() + TIME;
        let found = self.read(&objects::names(spot), deadline).await?;
        let mut observation = objects::observation(&found, clock::wall());
        match order {
            Order::Pvid { base_port, pvid, .. } => {
                let found = self.read(&objects::bridge_names(*base_port, *pvid), deadline).await?;
                let number = |place: usize| found.get(place).and_then(Option::as_ref).and_then(Datum::number);
                observation.has_vlan = Some(number(2) == Some(1));
                observation.pvid = number(0).and_then(|pvid| u16::try_from(pvid).ok());
                match number(1) {
                    Some(if_index) if if_index == spot.if_index.0 => {}
                    Some(other) => {
                        let told = format!("bridge port {base_port} is interface {other}, and {} is {}", spot.if_name, spot.if_index.0);
                        return Err(ActError::OtherPort { spot: spot.clone(), told });
                    }
                    None => return Err(ActError::Absent { spot: spot.clone(), object: "dot1dBasePortIfIndex" }),
                }
            }
            Order::Power { .. } => {
                let rows = self.power_rows(deadline).await?;
                if let Some((group, port, on)) = objects::power_row(&rows, spot) {
                    (observation.pse, observation.power) = (Some((group, port)), Some(on));
                }
            }
            _ => {}
        }
        Ok(observation)
    }

    /// Carries it out.
    pub(super) async fn carry_out(&self, permit: Permit, spot: &Spot) -> Result<Done, ActError> {
        let order = permit.order();
        // The user that writes reads first: whoever is refused here sets nothing, and AES-192 and -256, of which there are two
        // kinds, have found out theirs before the one datagram that is never repeated.
        let before = self.look(order, spot).await?;
        if !before.is_of(spot) {
            return Err(ActError::OtherPort { spot: spot.clone(), told: before.if_name.unwrap_or_else(|| "nothing".into()) });
        }
        match before.fulfils(order) {
            Some(true) => return Ok(Done { after: before.clone(), before }),
            Some(false) => {}
            // In a test (ifAdminStatus 3) it is read as neither; what is not there cannot be put back.
            None => return Err(ActError::Absent { spot: spot.clone(), object: object(order) }),
        }
        let warrant = Warrant::issue(Arc::clone(&self.target.name), objects::varbinds(order, Some(&before)), permit.valid_until());
        let answer = set::write(self.transport, self.target, warrant, clock::monotonic() + TIME).await;
        match answer {
            Ok(_) => Ok(Done { after: self.look_back(order, spot).await?, before }),
            Err(error) if error.may_be_done() => match self.look_back(order, spot).await? {
                after if after.fulfils(order) == Some(true) => Ok(Done { before, after }),
                _ => Err(error.into()),
            },
            Err(error) => Err(error.into()),
        }
    }

    /// What is there after a SET.
    async fn look_back(&self, order: &Order, spot: &Spot) -> Result<Observation, ActError> {
        let silent = |error| match error {
            ActError::Silent { device, why, .. } => ActError::Silent { device, why, was_set: true },
            other => other,
        };
        for _ in 1..LOOKS {
            let after = self.look(order, spot).await.map_err(silent)?;
            if after.fulfils(order) == Some(true) {
                return Ok(after);
            }
            tokio::time::sleep(LOOK_AFTER).await;
        }
        self.look(order, spot).await.map_err(silent)
    }

    async fn read(&self, names: &[Oid], deadline: Instant) -> Result<Vec<Option<Datum>>, ActError> {
        set::read(self.transport, self.target, names, deadline).await.map_err(|why| self.silent(why))
    }

    async fn power_rows(&self, deadline: Instant) -> Result<Vec<PowerRow>, ActError> {
        let table = self.walk("pethPsePortTable", std::slice::from_ref(&mib::PETH_PSE_PORT_ADMIN_ENABLE), deadline).await?;
        let row = |row: &TableRow| match *row.index {
            [group, port] => Some((group, port, objects::truth(row.cell(0).and_then(Kept::number)?)?)),
            _ => None,
        };
        Ok(table.rows.iter().filter_map(row).collect())
    }

    /// A whole table. While the device is being polled it waits its turn.
    async fn walk(&self, name: &'static str, columns: &[Oid], deadline: Instant) -> Result<Table, ActError> {
        let packing = Packing::new(match self.target.credentials {
            Credentials::Community { version, .. } => version,
            Credentials::User { .. } => Version::V2c,
        });
        loop {
            let job = TableJob::new(columns, packing, CAPS, |_| ());
            let outcome = match ask::one(self.transport, self.target, job, deadline).await {
                Ok((job, End::Complete)) => job.into_outcome(End::Complete),
                Ok((_, End::Deadline)) => return Err(self.silent(QuestionError::Deadline)),
                Ok((_, End::Cancelled)) => return Err(self.silent(SubmitError::Stopped.into())),
                Err(SubmitError::Busy | SubmitError::Full) if clock::monotonic() + BUSY < deadline => {
                    tokio::time::sleep(BUSY).await;
                    continue;
                }
                Err(error) => return Err(self.silent(error.into())),
            };
            return match outcome.cut {
                Some(cut) => Err(ActError::Broken { device: Arc::clone(&self.target.name), table: name, cut }),
                None => Ok(outcome.table),
            };
        }
    }

    fn silent(&self, why: QuestionError) -> ActError {
        ActError::Silent { device: Arc::clone(&self.target.name), why, was_set: false }
    }
}

/// What an order about a port is read by.
const fn object(order: &Order) -> &'static str {
    match order {
        Order::PortAdmin { .. } => "ifAdminStatus up or down",
        Order::Pvid { .. } => "dot1qPvid",
        Order::Alias { .. } => "ifAlias",
        Order::Power { .. } => "row in pethPsePortTable that is surely its own",
        Order::Filter { .. } | Order::Session { .. } | Order::Script { .. } => "object",
    }
}
