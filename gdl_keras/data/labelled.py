"""What is known of the examples of a table beside what they are: their classes and their attributes."""

import numpy as np

from gdl_keras.data.columns import Column
from gdl_keras.errors import InputError, nearest


class Labelled:
    """The part of a `Table` that deals with its columns "labels" and "attributes"."""

    @property
    def labels(self):
        """The numbers of the classes, int64 (num_examples,), or None."""
        return self.columns["labels"].values[:] if "labels" in self.columns else None

    @property
    def attributes(self):
        """int8 or float32 (num_examples, K), or None."""
        return self.columns["attributes"].values[:] if "attributes" in self.columns else None

    def with_labels(self):
        """This table, for who needs labels; raises InputError where there are none."""
        if self.labels is None:
            raise self._no_labels()
        return self

    def groups(self, names=None):
        """Which examples have an attribute, or are of a class.

        Args:
            names: of attributes or classes; None for all attributes that some have and others have not or, without
                such attributes, for all classes.

        Returns:
            {name: bool array (num_examples,)}; {} for None where there are neither attributes nor classes.

        Raises:
            InputError: a name is unknown, that of an attribute which is no yes or no, or of what all or none have.
        """
        if names is None:
            groups = {name: self._has(name) for name in self._yes_or_no_names() or self.class_names or []}
            return {name: has for name, has in groups.items() if has.any() and not has.all()}
        groups = {name: self._has(name) for name in names}
        for name, has in groups.items():
            if has.all() or not has.any():
                raise InputError(
                    f"Of {self.name}, {'all' if has.all() else 'no'} {self.kind} have {name}: take another."
                )
        return groups

    def labelled_by(self, attribute):
        """The same examples with an attribute as their label: 1 where an example has it, 0 where not.

        Args:
            attribute: one of `attribute_names`, such as "Blond_Hair".

        Returns:
            a table with two classes.

        Raises:
            InputError: there is no such attribute, or it is no yes or no.
        """
        labels = Column(self._has_attribute(attribute).astype(np.int64))
        return self.changed(columns={**self.columns, "labels": labels}, class_names=[f"not {attribute}", attribute])

    def conditioned_on(self, attribute=None):
        """The same examples with the labels that a conditional model is to learn from.

        Args:
            attribute: None for the classes; the name of an attribute, see `labelled_by`; or "all": every example's row
                of attributes, any number of which are true at once.

        Returns:
            a table with "labels", and with their names in `condition_names`.

        Raises:
            InputError: there are no such labels, or an attribute is no yes or no.
        """
        if attribute is None:
            return self.with_labels()
        if attribute != "all":
            return self.labelled_by(attribute)
        if self.attributes is None:
            raise self._no_attributes("attributes")
        for name in self.attribute_names:
            self._has_attribute(name)
        columns = {name: column for name, column in self.columns.items() if name != "labels"}
        return self.changed(columns=columns, class_names=None)

    @property
    def condition_names(self):
        """What the labels are called, classes or else attributes: list of str, or None."""
        return self.class_names or self.attribute_names

    def without(self, class_name):
        """The same examples but for those of one class; the numbers of the other classes stay.

        Args:
            class_name: one of `class_names`.

        Returns:
            a table.

        Raises:
            InputError: there are no labels, no such class, or no other one.
        """
        names = self.with_labels().class_names or []
        if class_name not in names:
            raise InputError(f"{self.name} has no class {class_name}.  {nearest(class_name, names)}")
        kept = np.flatnonzero(self.labels != names.index(class_name))
        if not len(kept):
            raise InputError(f"{self.name} has no {self.kind} but those of {class_name}: leave out another class.")
        return self._only(kept, f"without {class_name}")

    def _no_labels(self):
        attributes = "choose one of its attributes with --attribute, or " if self.attribute_names else ""
        return InputError(
            f"{self.name} has no labels: {attributes}sort its {self.kind} into one sub-folder a class, or choose "
            "another data set."
        )

    def _has(self, name):
        if name in (self.class_names or []) and name not in (self.attribute_names or []):
            return self.labels == self.class_names.index(name)
        if self.class_names and name not in (self.attribute_names or []):
            known = self.class_names + (self.attribute_names or [])
            raise InputError(f"{self.name} has no class or attribute {name}.  {nearest(name, known)}")
        return self._has_attribute(name)

    def _has_attribute(self, name):
        names = self.attribute_names or []
        if not names:
            raise self._no_attributes(f"attribute {name}")
        if name not in names:
            raise InputError(f"{self.name} has no attribute {name}.  {nearest(name, names)}")
        values = self.attributes[:, names.index(name)]
        if not _are_yes_or_no(values):
            found = np.unique(values)
            shown = ", ".join(f"{value:g}" for value in found[:4]) + (" ..." if len(found) > 4 else "")
            others = self._yes_or_no_names()
            those = f"those that are: {', '.join(others)}" if others else "no attribute is"
            raise InputError(
                f"The attribute {name} of {self.name} is no yes-or-no of 1 and 0, its values are {shown}; {those}."
            )
        return values > 0

    def _yes_or_no_names(self):
        attributes = enumerate(self.attribute_names or [])
        return [name for place, name in attributes if _are_yes_or_no(self.attributes[:, place])]

    def _no_attributes(self, what):
        classes = self.class_names or []
        instead = (
            f"  It has the classes {', '.join(classes[:8])}{' ...' if len(classes) > 8 else ''}." if classes else ""
        )
        return InputError(
            f"{self.name} has no {what}: for that it needs a table, a .csv file in its folder or beside it, with a "
            f"line of names (image,Smiling,Young) and below it a line for each image (0001.jpg,1,0).{instead}"
        )


def _are_yes_or_no(values):
    return any(np.isin(values, pair).all() for pair in ((0, 1), (-1, 1)))
